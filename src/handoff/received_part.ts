// This module has no I/O.

interface Chunk {
  readonly bytes: Uint8Array;
  readonly before: Chunk | undefined;
}

/** A part of known length that arrives in pieces. Never changed, only replaced. */
export interface ReceivedPart {
  /** Bytes still to come. */
  readonly missing: number;
  /** Bytes of the whole part. */
  readonly length: number;
  /** The pieces, newest first; use {@linkcode joinPart}. */
  readonly newest: Chunk | undefined;
}

/**
 * A part of which nothing has come.
 *
 * @param length Its length in bytes.
 */
export function expectPart(length: number): ReceivedPart {
  return { missing: length, length, newest: undefined };
}

/**
 * The part with one more piece.
 *
 * @param part The part so far.
 * @param bytes The piece, not longer than what is missing; copied.
 */
export function extendPart(part: ReceivedPart, bytes: Uint8Array): ReceivedPart {
  const newest = { bytes: Uint8Array.from(bytes), before: part.newest };
  return { missing: part.missing - bytes.length, length: part.length, newest };
}

/**
 * The bytes of a part that is complete.
 *
 * @param part The part.
 * @returns A buffer of its own.
 */
export function joinPart(part: ReceivedPart): Uint8Array {
  const joined = new Uint8Array(part.length);
  let offset = part.length;
  for (let chunk = part.newest; chunk !== undefined; chunk = chunk.before) {
    offset -= chunk.bytes.length;
    joined.set(chunk.bytes, offset);
  }
  return joined;
}
