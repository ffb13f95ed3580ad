// This module has no I/O.

/**
 * How long a file must have been left alone before it is believed that a later change would show in its times.
 *
 * File systems keep times as coarsely as 2 s (FAT), and Deno reports the change time in whole seconds.
 */
const SETTLE_MS = 2_000n;

/** What tells one state of a file from another. Times are nanoseconds since the Unix epoch. */
export interface FileIdentity {
  /** The file system. */
  readonly device: bigint;
  /** The file on it. */
  readonly inode: bigint;
  /** How large it is. */
  readonly sizeBytes: bigint;
  /** When its content was written last. */
  readonly modifiedNs: bigint;
  /** When its content, name or rights were changed last. */
  readonly changedNs: bigint;
}

/** The part of the runtime's file status (with `bigint: true`) that makes an identity. */
export interface FileStatus {
  /** The file system. */
  readonly dev: bigint;
  /** The file on it. */
  readonly ino: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Nanoseconds since the Unix epoch. */
  readonly mtimeNs: bigint;
  /** Nanoseconds since the Unix epoch. */
  readonly ctimeNs: bigint;
}

/** The identity of a file as its status shows it. */
export function fileIdentity(status: FileStatus): FileIdentity {
  return {
    device: status.dev,
    inode: status.ino,
    sizeBytes: status.size,
    modifiedNs: status.mtimeNs,
    changedNs: status.ctimeNs,
  };
}

/** Whether two identities are of the same file in the same state. */
export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.inode === b.inode && a.modifiedNs === b.modifiedNs && a.sizeBytes === b.sizeBytes &&
    a.changedNs === b.changedNs && a.device === b.device;
}

/**
 * Whether any later change of the file will show in its identity.
 *
 * A file that was written moments ago may be written again within the same tick of its times. What was read of
 * it may be used, but not kept.
 *
 * @param identity The file's identity when it was read.
 * @param nowMs When it was read, in milliseconds since the Unix epoch.
 */
export function isSettled(identity: FileIdentity, nowMs: number): boolean {
  const newestNs = identity.modifiedNs > identity.changedNs ? identity.modifiedNs : identity.changedNs;
  return BigInt(Math.floor(nowMs)) - newestNs / 1_000_000n > SETTLE_MS;
}

/** The identity as text, for use as a key. */
export function fileKey(identity: FileIdentity): string {
  const { device, inode, sizeBytes, modifiedNs, changedNs } = identity;
  return `${device}:${inode}:${sizeBytes}:${modifiedNs}:${changedNs}`;
}
