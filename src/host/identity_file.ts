import { rm } from "node:fs/promises";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";
import { writeFileAtomically } from "./atomic_file.ts";
import { readBoundedFile } from "./bounded_file.ts";
import { parseIdentity, renderIdentity } from "./identity_json.ts";
import { isNotFound } from "./os_error_text.ts";

/** The largest file believed to be an identity; one has about 1 kB and two paths. */
const FILE_BYTES_MAX = 64 * 1024;

/**
 * Writes a daemon's identity for brokers and other processes to read (protocol 8.3).
 *
 * An identity with both digests becomes a file that every version of the reference reads. The file is replaced
 * whole and belongs to the user alone (0600).
 *
 * @param path The file; the application chooses it.
 * @param identity A complete identity, for example of `currentDaemonIdentity()`.
 * @throws {IdentityError} When the identity lacks its endpoint or a digest. Errors of the system are passed on.
 */
export async function writeIdentityFile(path: string, identity: DaemonProcess): Promise<void> {
  await writeFileAtomically(path, renderIdentity(identity));
}

/** Reads an identity, taking whatever goes wrong for "there is none" (protocol 8.3). */
export async function readIdentityFile(path: string): Promise<DaemonProcess | undefined> {
  try {
    return await readIdentityFileStrictly(path);
  } catch {
    // The caller asked for an identity or none: a broken file names no daemon.
    return undefined;
  }
}

/**
 * Reads an identity (protocol 8.3).
 *
 * @returns `undefined` when there is no such file.
 * @throws {BrokerError} With code "protocol" when the file is not an identity. Errors of the system are passed on.
 */
export async function readIdentityFileStrictly(path: string): Promise<DaemonProcess | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readBoundedFile(path, FILE_BYTES_MAX);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  return parseIdentity(new TextDecoder().decode(bytes));
}

/** Removes an identity file as well as can be done: nobody should fail because of a stale one. */
export async function removeIdentityFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch {
    // What cannot be removed is told from a live daemon by its process and start time.
  }
}
