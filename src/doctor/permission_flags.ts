// This module has no I/O.
import { LAUNCH_VARIABLES } from "../naming/launch_variables.ts";

/** The parts of the product that processes are started as. */
export type PermissionRole = "client" | "backend" | "broker" | "launching-broker";

/** What the flags are made of. Paths are absolute. */
export interface PermissionFacts {
  /** Directory of the sockets. */
  readonly runtimeDirectory: string;
  /** Directory of the service definitions. */
  readonly definitionsDirectory: string;
  /** Directory of the daemon's data, where brokers note what becomes of backends. */
  readonly dataDirectory: string;
  /** Those above it up to one that exists, as long as it does not: their file system is what brokers tell operators about. */
  readonly dataDirectoriesAbove: readonly string[];
  /** The C library. */
  readonly library: string;
  /** The executable that runs backends that are scripts. */
  readonly executable: string;
  /** Binaries that definitions name, with the directories they have to be in. */
  readonly binaries: readonly string[];
  /** What launching starts: binaries, and interpreters of scripts. */
  readonly programs: readonly string[];
}

/** What the command line and the directories of a broker look at. */
const BROKER_VARIABLES = [
  "HOME",
  "RP_BROKER_LOG_FORMAT",
  "RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED",
  "RUNNING_PROCESS_BROKER_V1_SOCKET",
  "RUNNING_PROCESS_SERVICE_DEF_DIR",
  "XDG_CONFIG_HOME",
  "XDG_STATE_HOME",
];

/** Where Linux keeps the half of the user's hash that is the machine's. */
const MACHINE_ID_FILE = "/etc/machine-id";

/**
 * The least that Deno has to allow each part on this host.
 *
 * `--allow-net` names no endpoint: sockets are bound under names that are made up at that moment. `/proc`, which
 * Deno shows to nobody without `--allow-all`, is read through the C library.
 *
 * @returns Arguments of `deno run`, by part.
 */
export function permissionFlags(facts: PermissionFacts): Readonly<Record<PermissionRole, readonly string[]>> {
  const { runtimeDirectory: runtime, dataDirectory: data, library, executable, programs } = facts;
  const native = flag("ffi", [library]);
  const known = [
    facts.definitionsDirectory,
    data,
    ...facts.dataDirectoriesAbove,
    executable,
    ...facts.binaries,
  ];
  const brokerReads = [runtime, ...known];
  // The second kind is for the inodes that operators are told about.
  const broker = ["--allow-net", flag("write", [runtime, data]), flag("sys", ["uid", "statfs"]), native];
  const others = ["--allow-net", flag("write", [runtime]), flag("sys", ["uid"])];
  return {
    "client": [flag("read", [runtime]), ...others, flag("env", ["RUNNING_PROCESS_DISABLE"])],
    "backend": [
      flag("read", [runtime, executable]),
      ...others,
      flag("env", Object.values(LAUNCH_VARIABLES)),
      native,
    ],
    "broker": [flag("read", brokerReads), ...broker, flag("env", BROKER_VARIABLES)],
    "launching-broker": [
      flag("read", [...brokerReads, ...programs, MACHINE_ID_FILE]),
      ...broker,
      // Backends get a part of the environment, and which variables there are has to be seen first.
      "--allow-env",
      ...(programs.length === 0 ? [] : [flag("run", programs)]),
    ],
  };
}

/** Deno parts the values by commas, and takes two for one that belongs to a value. */
function flag(kind: string, values: readonly string[]): string {
  const unique = [...new Set(values.filter((value) => value !== ""))];
  return `--allow-${kind}=${unique.map((value) => value.replaceAll(",", ",,")).join(",")}`;
}
