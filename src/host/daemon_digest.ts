// This module has no I/O.
import { BrokerError } from "../errors.ts";
import { EXE_HASH_ALGORITHM, EXE_HASH_BYTES } from "../wire/constants.ts";
import { identityProblem } from "../wire/daemon_process.ts";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";

/** The digests that identities carry: SHA-256 up to 4.10.2, BLAKE3 from 4.10.3 on. */
export type DigestAlgorithm = "sha256" | "blake3";

/** An identity that nothing can be verified against (protocol 8.2). */
export class IdentityError extends BrokerError {
  /** The name of this class. */
  override readonly name: string = "IdentityError";
  /** The reference's text. */
  readonly detail: string;

  /**
   * Makes the error.
   *
   * @param detail The reference's text.
   */
  constructor(detail: string) {
    super("protocol", detail);
    this.detail = detail;
  }
}

/**
 * Insists on an identity that can be verified: an endpoint and a usable digest (protocol 8.2).
 *
 * @throws {IdentityError} When one of them is missing.
 */
export function requireDaemonIdentity(identity: DaemonProcess): void {
  const problem = identityProblem(identity);
  if (problem !== undefined) throw new IdentityError(problem);
}

/**
 * The digest to verify an identity's executable by.
 *
 * SHA-256 where it is given, since runtimes compute it several times as fast. From 4.10 on all zeroes beside a
 * BLAKE3 mean that it is not.
 *
 * @throws {IdentityError} When the identity cannot be verified at all.
 */
export function wantedDigest(identity: DaemonProcess): { algorithm: DigestAlgorithm; digest: Uint8Array } {
  requireDaemonIdentity(identity);
  const { exeSha256, exeHash } = identity;
  const isSha256Given = exeSha256.length === EXE_HASH_BYTES &&
    (!hasBlake3(identity) || exeSha256.some((byte) => byte !== 0));
  return isSha256Given
    ? { algorithm: "sha256", digest: exeSha256 }
    : { algorithm: "blake3", digest: exeHash };
}

/**
 * An identity with one of its digests only, for a manifest.
 *
 * A manifest's own digest covers the identity, and each version of the reference drops the digest it does not know
 * before it verifies: `sha256` is for readers up to 4.10.2, `blake3` for later ones.
 *
 * @returns A copy.
 */
export function withOnlyDigest(identity: DaemonProcess, algorithm: DigestAlgorithm): DaemonProcess {
  return algorithm === "sha256"
    ? { ...identity, exeHashAlgorithm: "", exeHash: new Uint8Array() }
    : { ...identity, exeSha256: new Uint8Array() };
}

/** Whether an identity carries a well-formed BLAKE3. */
export function hasBlake3({ exeHashAlgorithm, exeHash }: DaemonProcess): boolean {
  return exeHashAlgorithm === EXE_HASH_ALGORITHM && exeHash.length === EXE_HASH_BYTES;
}
