// This module has no I/O.
import { bytesToHex } from "../wire/bytes.ts";
import { hash16 } from "./hash16.ts";

/** Longest security identifier in bytes that is believed; real ones have at most 68. */
const SID_BYTES_MAX = 1024;

/**
 * The string that stands for a user of a Unix host before hashing (protocol 3.1).
 *
 * @param uid The real user id.
 * @param machineId The machine's id: machine-id on Linux, IOPlatformUUID on macOS.
 */
export function unixUserIdentity(uid: number, machineId: string): string {
  return `${uid}:${machineId}`;
}

/**
 * The string that stands for a Windows user, before hashing and as peer identity (protocol 3.1).
 *
 * @param sid The raw bytes of the user's security identifier.
 * @throws {RangeError} When their number is not 1 to 1024.
 */
export function windowsUserIdentity(sid: Uint8Array): string {
  if (sid.length === 0 || sid.length > SID_BYTES_MAX) {
    throw new RangeError(`Cannot take ${sid.length} bytes for a SID: it has 1 to ${SID_BYTES_MAX}`);
  }
  return `windows-sid:${bytesToHex(sid)}`;
}

/**
 * The hash of a user that endpoint names carry (protocol 3.1).
 *
 * @param identity A string made by {@linkcode unixUserIdentity} or {@linkcode windowsUserIdentity}.
 * @returns 16 lower-case hexadecimal characters.
 */
export function userHash(identity: string): string {
  return hash16(identity);
}

/**
 * The raw bytes of a security identifier written as text, as Windows tools print it.
 *
 * @param text For example `S-1-5-21-1004336348-1177238915-682003330-512`.
 * @returns The bytes, or `undefined` when the text is no identifier.
 */
export function sidBytes(text: string): Uint8Array | undefined {
  const parts = /^S-1-(\d+)((?:-\d+){0,15})$/.exec(text);
  if (parts === null) return undefined;
  const authority = BigInt(parts[1]!);
  const subAuthorities = parts[2]!.split("-").slice(1).map(Number);
  if (authority >= 1n << 48n || subAuthorities.some((value) => value > 0xffff_ffff)) return undefined;
  const bytes = new Uint8Array(8 + 4 * subAuthorities.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 1;
  bytes[1] = subAuthorities.length;
  view.setUint16(2, Number(authority >> 32n));
  view.setUint32(4, Number(authority & 0xffff_ffffn));
  subAuthorities.forEach((value, index) => view.setUint32(8 + 4 * index, value, true));
  return bytes;
}

/** The user's security identifier in the output of `whoami /user /fo csv /nh`, if it is there. */
export function sidInWhoamiOutput(output: string): string | undefined {
  return /"(S-1-[0-9-]+)"\s*$/.exec(output)?.[1];
}

/** The machine's id in the output of `ioreg -d2 -c IOPlatformExpertDevice`, if it is there. */
export function platformUuidInIoregOutput(output: string): string | undefined {
  return /"IOPlatformUUID"\s*=\s*"([^"]+)"/.exec(output)?.[1];
}
