import process from "node:process";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { EndpointPlace } from "../naming/endpoint_address.ts";
import { EXE_HASH_ALGORITHM } from "../wire/constants.ts";
import { type DaemonProcess, DaemonProcessSchema } from "../wire/gen/broker_v1_manifest_pb.ts";
import { bootId } from "./boot_id.ts";
import { ExecutableHasher, ownExecutablePath } from "./executable.ts";

/** What a daemon's identity says besides what the system knows. */
export interface DaemonIdentityOptions {
  /** Where the daemon listens. */
  readonly endpoint: EndpointPlace;
  /** After how many idle seconds the daemon ends, if it says. */
  readonly idleTimeoutSecs?: number | undefined;
  /** Shared, so that an executable is hashed once. */
  readonly hasher?: ExecutableHasher;
  /** The clock: milliseconds since the Unix epoch. */
  readonly nowMs?: () => number;
}

/**
 * The identity of this process as a daemon (protocol 8.2).
 *
 * It carries the SHA-256 in field 3, which readers up to 4.10.2 insist on, and the BLAKE3 in fields 8 and 9, which
 * later ones do. Both are of the file, so a replaced executable is seen.
 *
 * In Deno it requires `--allow-read` for the executable, and `--allow-ffi` or `--allow-all`, since Linux keeps the
 * boot id below `/proc`.
 *
 * @throws {BrokerError} With code "os" when the executable cannot be read.
 */
export async function currentDaemonIdentity(options: DaemonIdentityOptions): Promise<DaemonProcess> {
  const { endpoint, idleTimeoutSecs, hasher = new ExecutableHasher(), nowMs = Date.now } = options;
  const startedAtUnixMs = BigInt(nowMs());
  const exePath = await ownExecutablePath();
  const [exeSha256, exeHash, boot] = await Promise.all([
    hasher.digest(exePath, "sha256"),
    hasher.digest(exePath, "blake3"),
    bootId(),
  ]);
  const identity: MessageInitShape<typeof DaemonProcessSchema> = {
    pid: process.pid,
    exePath,
    exeSha256,
    ipcEndpoint: { namespaceId: endpoint.namespaceId, path: endpoint.path },
    startedAtUnixMs,
    bootId: boot,
    exeHashAlgorithm: EXE_HASH_ALGORITHM,
    exeHash,
  };
  if (idleTimeoutSecs !== undefined) identity.idleTimeoutSecs = idleTimeoutSecs;
  return create(DaemonProcessSchema, identity);
}
