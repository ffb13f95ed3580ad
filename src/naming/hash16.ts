// This module has no I/O.
import { blake3 } from "@noble/hashes/blake3.js";
import { bytesToHex } from "../wire/bytes.ts";

/** How many bytes of the digest a name carries: 16 hexadecimal characters. */
const HASH16_BYTES = 8;

/**
 * The short hash used in endpoint names: the first 8 bytes of BLAKE3-256 in lower-case hexadecimal (protocol 3.1).
 *
 * @param input Text is hashed as UTF-8.
 * @returns 16 characters of `[0-9a-f]`.
 */
export function hash16(input: string | Uint8Array): string {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  return bytesToHex(blake3(bytes).subarray(0, HASH16_BYTES));
}
