import { BrokerError } from "../errors.ts";
import { quotedText } from "../naming/quoted_text.ts";
import { constantTimeEqual } from "../wire/bytes.ts";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";
import { bootId, isSameBoot } from "./boot_id.ts";
import { type DigestAlgorithm, wantedDigest } from "./daemon_digest.ts";
import type { ExecutableHasher } from "./executable.ts";
import { osErrorText } from "./os_error_text.ts";
import {
  executableLink,
  executablePathOf,
  isProcessAlive,
  PID_MAX,
  type ProcessIdentity,
  processIdentity,
} from "./process_identity.ts";
import { type SystemAccess, systemAccess, throwIfDenied } from "./system_access.ts";

/** How a process fails to be the expected one (protocol 8.5), in the reference's names. */
export type VerifyProcessErrorKind =
  | "InvalidPid"
  | "BootIdMismatch"
  | "NotFound"
  | "Handle"
  | "ExePath"
  | "ExePathMismatch"
  | "ExeHash"
  | "ExeSha256Mismatch"
  | "ExecutableHashMismatch";

/** A process is not the one its identity claims, or that cannot be found out. */
export class VerifyProcessError extends BrokerError {
  /** The name of this class. */
  override readonly name: string = "VerifyProcessError";
  /** How it fails. */
  readonly kind: VerifyProcessErrorKind;
  /** The reference's text. */
  readonly detail: string;

  /**
   * Makes the error.
   *
   * @param kind How it fails.
   * @param detail The reference's text.
   * @param options `cause` keeps the original error.
   */
  constructor(kind: VerifyProcessErrorKind, detail: string, options?: ErrorOptions) {
    super("peer-rejected", detail, options);
    this.kind = kind;
    this.detail = detail;
  }
}

/**
 * Verifies that a process is the one its identity claims (protocol 8.5): this boot, this executable path, this
 * content.
 *
 * What is hashed is the file the process runs, not whatever has its path by now, and the process is checked to be
 * still the same one afterwards.
 *
 * @param expected The identity.
 * @param hasher Shared, so that an executable is hashed once.
 * @param system The host to ask.
 * @returns The process, for liveness checks later on.
 * @throws {VerifyProcessError} When the process is another one, or that cannot be found out.
 * @throws {IdentityError} When the identity cannot be verified at all.
 * @throws {BrokerError} With code "unsupported" on Windows, or when the runtime forbids looking.
 */
export async function verifyProcess(
  expected: DaemonProcess,
  hasher: ExecutableHasher,
  system: SystemAccess = systemAccess,
): Promise<ProcessIdentity> {
  const { pid } = expected;
  const wanted = wantedDigest(expected);
  if (pid === 0) throw invalidPid(pid);
  await verifyBoot(expected.bootId, system);
  if (pid > PID_MAX) throw invalidPid(pid);
  const found = await find(pid, system);
  const path = await verifyPath(expected, system);
  const actual = await content(pid, path, wanted.algorithm, hasher, system);
  if (!constantTimeEqual(actual, wanted.digest)) throw digestMismatch(pid, wanted.algorithm);
  if (!await isProcessAlive(found, system)) throw notFound(pid);
  return found;
}

async function verifyBoot(expected: string, system: SystemAccess): Promise<void> {
  const actual = await bootId(system);
  if (isSameBoot(expected, actual)) return;
  const detail = `daemon boot id mismatch: expected ${expected}, current ${actual}`;
  throw new VerifyProcessError("BootIdMismatch", detail);
}

async function find(pid: number, system: SystemAccess): Promise<ProcessIdentity> {
  let found: ProcessIdentity | undefined;
  try {
    found = await processIdentity(pid, system);
  } catch (cause) {
    if (BrokerError.is(cause) && cause.code === "unsupported") throw cause;
    const detail = `process handle operation failed for pid ${pid}: ${osErrorText(cause)}`;
    throw new VerifyProcessError("Handle", detail, { cause });
  }
  if (found === undefined) throw notFound(pid);
  return found;
}

async function verifyPath(expected: DaemonProcess, system: SystemAccess): Promise<string> {
  const { pid, exePath } = expected;
  let actual: string;
  try {
    actual = await executablePathOf(pid, system);
  } catch (cause) {
    throwIfDenied(cause, executableLink(pid));
    const detail = `failed to resolve executable path for pid ${pid}: ${osErrorText(cause)}`;
    throw new VerifyProcessError("ExePath", detail, { cause });
  }
  if (await canonical(actual, system) === await canonical(exePath, system)) return actual;
  const paths = `expected ${quotedText(exePath)}, actual ${quotedText(actual)}`;
  const detail = `daemon executable path mismatch for pid ${pid}: ${paths}`;
  throw new VerifyProcessError("ExePathMismatch", detail);
}

/** A path without links where it can be had: what was deleted meanwhile compares as it is written. */
async function canonical(path: string, system: SystemAccess): Promise<string> {
  try {
    return await system.realPath(path);
  } catch {
    return path;
  }
}

async function content(
  pid: number,
  path: string,
  algorithm: DigestAlgorithm,
  hasher: ExecutableHasher,
  system: SystemAccess,
): Promise<Uint8Array> {
  try {
    return await hasher.digest(system.platform === "linux" ? executableLink(pid) : path, algorithm);
  } catch (cause) {
    const seen = osErrorText((cause as Error).cause ?? cause);
    const detail = `failed to hash executable for pid ${pid} at ${quotedText(path)}: ${seen}`;
    throw new VerifyProcessError("ExeHash", detail, { cause });
  }
}

function digestMismatch(pid: number, algorithm: DigestAlgorithm): VerifyProcessError {
  return algorithm === "sha256"
    ? new VerifyProcessError("ExeSha256Mismatch", `daemon executable sha256 mismatch for pid ${pid}`)
    : new VerifyProcessError(
      "ExecutableHashMismatch",
      `daemon executable blake3 hash mismatch for pid ${pid}`,
    );
}

function invalidPid(pid: number): VerifyProcessError {
  return new VerifyProcessError("InvalidPid", `invalid daemon pid: ${pid}`);
}

function notFound(pid: number): VerifyProcessError {
  return new VerifyProcessError("NotFound", `process not found: ${pid}`);
}
