// This module has no I/O.
import { joinPath } from "./join_path.ts";
import type { HostValues } from "./platform.ts";

/** A folder, and what decided on it. */
export interface DirectoryChoice {
  /** The folder's path; relative or empty when the variable behind it is. */
  readonly path: string;
  /** `flag:--service-def-dir`, `env:` and a variable's name, or `platform-default`. */
  readonly source: string;
}

/** The folders' owner inside every base directory. */
const PRODUCT_FOLDER = "running-process";

/** Where the system keeps data of all users of a Windows host; used when the user's folder is unknown. */
const WINDOWS_PROGRAM_DATA = "C:\\ProgramData";

/** What differs between the kinds of folders. */
interface FolderKind {
  /** The variable that replaces the folder. */
  readonly variable: string;
  /** The variable that replaces the base directory on Linux, and that base below the home directory. */
  readonly linux: readonly [variable: string, ...belowHome: string[]];
  readonly leaf: string;
}

const SERVICE_DEFINITIONS: FolderKind = {
  variable: "RUNNING_PROCESS_SERVICE_DEF_DIR",
  linux: ["XDG_CONFIG_HOME", ".config"],
  leaf: "services",
};

const MANIFESTS: FolderKind = {
  variable: "RUNNING_PROCESS_MANIFEST_DIR",
  linux: ["XDG_DATA_HOME", ".local", "share"],
  leaf: "manifests",
};

/**
 * The folder of service definitions (protocol 3.8).
 *
 * @param host Where the process runs and for whom.
 * @param flag The value of `--service-def-dir`, which comes before the environment.
 */
export function serviceDefinitionDirectory(host: HostValues, flag?: string): DirectoryChoice {
  if (flag !== undefined) return { path: flag, source: "flag:--service-def-dir" };
  return userFolder(host, SERVICE_DEFINITIONS);
}

/** The folder of the central manifest registry (protocol 3.8). */
export function manifestDirectory(host: HostValues): DirectoryChoice {
  return userFolder(host, MANIFESTS);
}

/** The folder of the daemon's data (protocol 3.8). No variable of its own replaces it. */
export function daemonDataDirectory(host: HostValues): DirectoryChoice {
  const { platform, environment } = host;
  if (platform === "windows") {
    return byDefault(joinPath(platform, environment["LOCALAPPDATA"] ?? WINDOWS_PROGRAM_DATA, PRODUCT_FOLDER));
  }
  const state = environment["XDG_STATE_HOME"];
  if (state !== undefined) return byDefault(joinPath(platform, state, PRODUCT_FOLDER));
  if (host.home === undefined) return byDefault("/tmp/running-process-state");
  return byDefault(joinPath(platform, host.home, ".local", "state", PRODUCT_FOLDER));
}

/** The folder of crash dumps (protocol 3.8). */
export function crashDumpDirectory(host: HostValues): DirectoryChoice {
  const variable = "RUNNING_PROCESS_BROKER_CRASH_DUMP_DIR";
  const override = host.environment[variable];
  if (override !== undefined) return { path: override, source: `env:${variable}` };
  return byDefault(joinPath(host.platform, temporaryDirectory(host), PRODUCT_FOLDER, "crash-dumps"));
}

/** The folder for temporary files, as the environment names it. */
export function temporaryDirectory({ platform, environment }: HostValues): string {
  if (platform !== "windows") return environment["TMPDIR"] ?? "/tmp";
  return environment["TMP"] ?? environment["TEMP"] ?? environment["USERPROFILE"] ?? "C:\\Windows";
}

function userFolder(host: HostValues, kind: FolderKind): DirectoryChoice {
  const override = host.environment[kind.variable];
  if (override !== undefined) return { path: override, source: `env:${kind.variable}` };
  return byDefault(joinPath(host.platform, userBase(host, kind), PRODUCT_FOLDER, kind.leaf));
}

function userBase(host: HostValues, kind: FolderKind): string {
  const { platform, environment } = host;
  if (platform === "windows") return environment["APPDATA"] ?? WINDOWS_PROGRAM_DATA;
  const [variable, ...belowHome] = kind.linux;
  const named = platform === "linux" ? environment[variable] : undefined;
  if (named !== undefined) return named;
  const home = host.home ?? temporaryDirectory(host);
  return platform === "macos"
    ? joinPath(platform, home, "Library", "Application Support")
    : joinPath(platform, home, ...belowHome);
}

function byDefault(path: string): DirectoryChoice {
  return { path, source: "platform-default" };
}
