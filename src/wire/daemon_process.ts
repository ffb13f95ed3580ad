// This module has no I/O.
import { EXE_HASH_ALGORITHM, EXE_HASH_BYTES } from "./constants.ts";
import { constantTimeEqual } from "./bytes.ts";
import type { DaemonProcess } from "./gen/broker_v1_manifest_pb.ts";

/** The fields that tell one daemon from another, by the reference's names. */
export type IdentityField = "pid" | "exe_path" | "exe_sha256" | "exe_hash" | "boot_id" | "ipc_endpoint";

/**
 * Why an identity cannot be compared with another, in the reference's words.
 *
 * Peers up to 4.5.7 carry a SHA-256 in field 3, later ones a BLAKE3 hash in fields 8 and 9; either
 * will do (protocol 13).
 *
 * @param identity An identity as it was received or is about to be sent.
 * @returns What it lacks, or undefined.
 */
export function identityProblem(identity: DaemonProcess): string | undefined {
  if (identity.ipcEndpoint === undefined) return "daemon process is missing ipc_endpoint";
  if (hasBlake3(identity) || hasSha256(identity)) return undefined;
  const { exeHashAlgorithm, exeHash, exeSha256 } = identity;
  if (exeHashAlgorithm === EXE_HASH_ALGORITHM) {
    return `daemon process exe_hash must be ${EXE_HASH_BYTES} bytes, got ${exeHash.length}`;
  }
  if (exeHashAlgorithm === "") {
    return `daemon process exe_sha256 must be ${EXE_HASH_BYTES} bytes, got ${exeSha256.length}`;
  }
  const seen = JSON.stringify(exeHashAlgorithm);
  return `unsupported daemon executable hash algorithm ${seen}; expected ${EXE_HASH_ALGORITHM}`;
}

/**
 * Compares two identities (protocol 8.4, step 6). When they started and when they go idle does not count.
 *
 * The hashes are compared by the newest algorithm that both carry: a newer peer may fill the older
 * field with zeros. Two identities without a common algorithm differ.
 *
 * @param actual What the daemon says it is.
 * @param expected What it has to be.
 * @returns The first field that differs, or undefined.
 */
export function differingIdentityField(
  actual: DaemonProcess,
  expected: DaemonProcess,
): IdentityField | undefined {
  if (actual.pid !== expected.pid) return "pid";
  if (actual.exePath !== expected.exePath) return "exe_path";
  const hash = differingHash(actual, expected);
  if (hash !== undefined) return hash;
  if (actual.bootId !== expected.bootId) return "boot_id";
  const [one, other] = [actual.ipcEndpoint, expected.ipcEndpoint];
  const isSameEndpoint = one?.namespaceId === other?.namespaceId && one?.path === other?.path;
  return isSameEndpoint ? undefined : "ipc_endpoint";
}

function differingHash(actual: DaemonProcess, expected: DaemonProcess): IdentityField | undefined {
  if (hasBlake3(actual) && hasBlake3(expected)) {
    return constantTimeEqual(actual.exeHash, expected.exeHash) ? undefined : "exe_hash";
  }
  if (hasSha256(actual) && hasSha256(expected)) {
    return constantTimeEqual(actual.exeSha256, expected.exeSha256) ? undefined : "exe_sha256";
  }
  return hasBlake3(expected) ? "exe_hash" : "exe_sha256";
}

function hasBlake3(identity: DaemonProcess): boolean {
  return identity.exeHashAlgorithm === EXE_HASH_ALGORITHM && identity.exeHash.length === EXE_HASH_BYTES;
}

function hasSha256(identity: DaemonProcess): boolean {
  return identity.exeSha256.length === EXE_HASH_BYTES;
}
