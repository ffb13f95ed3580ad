import type { DescMessage } from "@bufbuild/protobuf";
import { CacheManifestSchema, DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { fromGolden, type GoldenMessage, toGolden } from "../wire/golden_message.ts";
import type { FileStep } from "./_file_parties.ts";
import { isRust, parties, type Party } from "./_probers.ts";
import { quirkCell } from "./_quirks.ts";

/** A kind of file that every party is to write and to read. */
export interface SharedFile {
  readonly name: string;
  readonly schema: DescMessage;
  readonly message: GoldenMessage;
  /** Fields that a version may not know, so that it leaves them out. */
  readonly versionedFields: readonly string[];
  readonly writers: readonly Party[];
  /** Whether every writer makes the same bytes. */
  readonly isUniform: boolean;
  /** "ok", or the name of the reference's quirk. */
  expected(writer: Party, reader: Party): string;
  /** The quirk that shows in an error of the reference. */
  quirkOf(error: string): string | undefined;
  write(folder: string): FileStep;
  read(folder: string): FileStep;
  /** The file in its folder. */
  path(folder: string): string;
}

const SERVICE = "my-daemon";
const VERSION = "1.2.3";
const OURS = parties.filter((party) => !isRust(party));
const DIGESTS = ["exe_sha256", "exe_hash_algorithm", "exe_hash"];
const FILES_DIFFER = quirkCell("identity-files-differ");
const UNKNOWN_FIELD_CORRUPTS = quirkCell("unknown-field-corrupts-manifest");

const SHA256 = { exe_sha256: "11".repeat(32) };
const BLAKE3 = { exe_hash_algorithm: "blake3", exe_hash: "22".repeat(32) };

const DEFINITION: GoldenMessage = {
  service_name: SERVICE,
  binary_path: "/opt/my daemon/bin",
  isolation: 2,
  explicit_instance: "blue",
  per_version_binary_dir: "/opt/my daemon",
  min_version: "1.0.0",
  version_allow_list: ["1.2.3", "1.2.4-rc.1"],
  labels: { team: "bücher" },
};

const IDENTITY: GoldenMessage = {
  pid: 4_294_967_295,
  exe_path: '/opt/my "daemon"/bücher',
  boot_id: "b-1",
  ipc_endpoint: { namespace_id: "private:my-daemon", path: "/tmp/be.sock" },
  // More than a JavaScript number holds.
  started_at_unix_ms: "18446744073709551615",
  idle_timeout_secs: 30,
};

const MANIFEST: GoldenMessage = {
  service_name: SERVICE,
  service_version: VERSION,
  broker_envelope_version: "v1",
  broker_instance: "shared",
  created_at_unix_ms: "1700000000000",
  last_active_unix_ms: "1700000000001",
  host: { hostname: "h", machine_id: "m", boot_id: "b", fs_dev_id: "7", namespace_id: "n" },
  roots: [{ kind: 1, path: "/c", estimated_size_bytes: "5", labels: { l: "1" }, exclude_globs: ["*.tmp"] }],
  provides: ["p"],
};

const definition: SharedFile = {
  name: "service definition",
  schema: ServiceDefinitionSchema,
  message: DEFINITION,
  versionedFields: [],
  writers: parties,
  isUniform: true,
  expected: () => "ok",
  quirkOf: () => undefined,
  write: (path) => ({ act: "def-write", path, message: DEFINITION }),
  read: (path) => ({ act: "def-read", path, service: SERVICE }),
  path: (folder) => `${folder}/${SERVICE}.servicedef`,
};

const identity: SharedFile = {
  name: "identity file",
  schema: DaemonProcessSchema,
  message: { ...IDENTITY, ...SHA256, ...BLAKE3 },
  versionedFields: DIGESTS,
  writers: parties,
  isUniform: false,
  expected: (writer, reader) => writer !== reader && isRust(writer) && isRust(reader) ? FILES_DIFFER : "ok",
  quirkOf: (error) =>
    /missing field `exe_(?:sha256|hash|hash_algorithm)`/.test(error) ? FILES_DIFFER : undefined,
  write: (folder) => ({ act: "identity-write", path: identity.path(folder), message: identity.message }),
  read: (folder) => ({ act: "identity-read", path: identity.path(folder) }),
  path: (folder) => `${folder}/id.json`,
};

/** A manifest with a running daemon that carries some digests; only some versions know them all. */
function manifestFile(
  name: string,
  daemon: GoldenMessage | undefined,
  reference: readonly Party[],
): SharedFile {
  const message = daemon === undefined
    ? MANIFEST
    : { ...MANIFEST, current_daemon: { ...IDENTITY, ...daemon } };
  const path = (folder: string) => `${folder}/${SERVICE}-${VERSION}.pb`;
  return {
    name,
    schema: CacheManifestSchema,
    message,
    versionedFields: ["manifest_schema_version", "media_type", "self_sha256"],
    writers: [...reference, ...OURS],
    isUniform: true,
    expected: (_writer, reader) =>
      isRust(reader) && !reference.includes(reader) ? UNKNOWN_FIELD_CORRUPTS : "ok",
    quirkOf: (error) => /self_sha256 mismatch/.test(error) ? UNKNOWN_FIELD_CORRUPTS : undefined,
    write: (folder) => ({ act: "manifest-write", path: folder, message }),
    read: (folder) => ({ act: "manifest-read", path: path(folder) }),
    path,
  };
}

/** Every kind of file that the two implementations share. */
export const sharedFiles: readonly SharedFile[] = [
  definition,
  identity,
  manifestFile("manifest", undefined, ["4.5.7", "4.10.21"]),
  manifestFile("manifest with a daemon known by its SHA-256", SHA256, ["4.5.7"]),
  manifestFile("manifest with a daemon known by its BLAKE3", BLAKE3, ["4.10.21"]),
];

/** The fields of a read file that are not what was written; none when it is the same. */
export function wrongFields({ schema, message, versionedFields }: SharedFile, read: unknown): string[] {
  const wanted = toGolden(schema, fromGolden(schema, message));
  const unset = toGolden(schema, fromGolden(schema, {}));
  const seen = read as Readonly<Record<string, unknown>>;
  return Object.keys(wanted).filter((field) => {
    const [is, shall, none] = [seen[field], wanted[field], unset[field]].map((value) =>
      JSON.stringify(value)
    );
    return is !== shall && !(versionedFields.includes(field) && (is === none || shall === none));
  });
}
