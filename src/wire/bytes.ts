// This module has no I/O.

/** The parts, one behind the other, in a buffer of their own. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

const EMPTY = new Uint8Array(0);

// What is shorter is copied by hand: a view for the platform's copy costs more.
const SHORT_BYTES = 128;

/** A part of some bytes, in a buffer of its own; `slice` of a Buffer would be a view. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const length = end - start;
  if (length === 0) return EMPTY;
  if (length > SHORT_BYTES) return new Uint8Array(bytes.subarray(start, end));
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = bytes[start + i]!;
  return copy;
}

/**
 * Whether two byte strings are equal, in a time that depends on their lengths only.
 *
 * For tokens and nonces: a comparison that stops early tells an attacker how much of a guess was right.
 */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** Lower-case hexadecimal. */
export function bytesToHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
