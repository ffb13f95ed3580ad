// This module has no I/O.

/** Bytes of one compressed block. */
export const BLAKE3_BLOCK_BYTES = 64;

/** The block is the first of its chunk. */
export const CHUNK_START = 1;
/** The block is the last of its chunk. */
export const CHUNK_END = 2;
/** The block holds the values of two subtrees. */
export const PARENT = 4;
/** The block is the last of all. */
export const ROOT = 8;

/** The value a chunk or a parent starts from: the first words of SHA-256's initial state. */
export const BLAKE3_START: Readonly<Int32Array> = Int32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** Rounds of mixing a block. */
const ROUNDS = 7;

/**
 * BLAKE3's compression: mixes one block into a chaining value.
 *
 * The 16 words of the state and of the block stay in local variables, which makes it several times as fast
 * as a loop over arrays.
 *
 * @param value The chaining value; holds the new one afterwards.
 * @param view Where the block is.
 * @param at The block's offset there.
 * @param counter The number of the chunk; 0 for parents.
 * @param lengthBytes How many bytes of the block are input.
 * @param flags The sum of the flags that apply.
 */
export function compressBlock(
  value: Int32Array,
  view: DataView,
  at: number,
  counter: number,
  lengthBytes: number,
  flags: number,
): void {
  let m0 = view.getInt32(at, true), m1 = view.getInt32(at + 4, true), m2 = view.getInt32(at + 8, true);
  let m3 = view.getInt32(at + 12, true), m4 = view.getInt32(at + 16, true), m5 = view.getInt32(at + 20, true);
  let m6 = view.getInt32(at + 24, true), m7 = view.getInt32(at + 28, true), m8 = view.getInt32(at + 32, true);
  let m9 = view.getInt32(at + 36, true), m10 = view.getInt32(at + 40, true);
  let m11 = view.getInt32(at + 44, true), m12 = view.getInt32(at + 48, true);
  let m13 = view.getInt32(at + 52, true), m14 = view.getInt32(at + 56, true);
  let m15 = view.getInt32(at + 60, true);
  let v0 = value[0]!, v1 = value[1]!, v2 = value[2]!, v3 = value[3]!;
  let v4 = value[4]!, v5 = value[5]!, v6 = value[6]!, v7 = value[7]!;
  let v8 = 0x6a09e667, v9 = 0xbb67ae85 | 0, v10 = 0x3c6ef372, v11 = 0xa54ff53a | 0;
  let v12 = counter | 0, v13 = (counter / 2 ** 32) | 0, v14 = lengthBytes, v15 = flags;
  for (let round = 0; round < ROUNDS; round++) {
    v0 = (v0 + v4 | 0) + m0 | 0, v12 = rotate(v12 ^ v0, 16);
    v8 = v8 + v12 | 0, v4 = rotate(v4 ^ v8, 12);
    v0 = (v0 + v4 | 0) + m1 | 0, v12 = rotate(v12 ^ v0, 8);
    v8 = v8 + v12 | 0, v4 = rotate(v4 ^ v8, 7);
    v1 = (v1 + v5 | 0) + m2 | 0, v13 = rotate(v13 ^ v1, 16);
    v9 = v9 + v13 | 0, v5 = rotate(v5 ^ v9, 12);
    v1 = (v1 + v5 | 0) + m3 | 0, v13 = rotate(v13 ^ v1, 8);
    v9 = v9 + v13 | 0, v5 = rotate(v5 ^ v9, 7);
    v2 = (v2 + v6 | 0) + m4 | 0, v14 = rotate(v14 ^ v2, 16);
    v10 = v10 + v14 | 0, v6 = rotate(v6 ^ v10, 12);
    v2 = (v2 + v6 | 0) + m5 | 0, v14 = rotate(v14 ^ v2, 8);
    v10 = v10 + v14 | 0, v6 = rotate(v6 ^ v10, 7);
    v3 = (v3 + v7 | 0) + m6 | 0, v15 = rotate(v15 ^ v3, 16);
    v11 = v11 + v15 | 0, v7 = rotate(v7 ^ v11, 12);
    v3 = (v3 + v7 | 0) + m7 | 0, v15 = rotate(v15 ^ v3, 8);
    v11 = v11 + v15 | 0, v7 = rotate(v7 ^ v11, 7);
    v0 = (v0 + v5 | 0) + m8 | 0, v15 = rotate(v15 ^ v0, 16);
    v10 = v10 + v15 | 0, v5 = rotate(v5 ^ v10, 12);
    v0 = (v0 + v5 | 0) + m9 | 0, v15 = rotate(v15 ^ v0, 8);
    v10 = v10 + v15 | 0, v5 = rotate(v5 ^ v10, 7);
    v1 = (v1 + v6 | 0) + m10 | 0, v12 = rotate(v12 ^ v1, 16);
    v11 = v11 + v12 | 0, v6 = rotate(v6 ^ v11, 12);
    v1 = (v1 + v6 | 0) + m11 | 0, v12 = rotate(v12 ^ v1, 8);
    v11 = v11 + v12 | 0, v6 = rotate(v6 ^ v11, 7);
    v2 = (v2 + v7 | 0) + m12 | 0, v13 = rotate(v13 ^ v2, 16);
    v8 = v8 + v13 | 0, v7 = rotate(v7 ^ v8, 12);
    v2 = (v2 + v7 | 0) + m13 | 0, v13 = rotate(v13 ^ v2, 8);
    v8 = v8 + v13 | 0, v7 = rotate(v7 ^ v8, 7);
    v3 = (v3 + v4 | 0) + m14 | 0, v14 = rotate(v14 ^ v3, 16);
    v9 = v9 + v14 | 0, v4 = rotate(v4 ^ v9, 12);
    v3 = (v3 + v4 | 0) + m15 | 0, v14 = rotate(v14 ^ v3, 8);
    v9 = v9 + v14 | 0, v4 = rotate(v4 ^ v9, 7);
    let word = m0;
    m0 = m2, m2 = m3, m3 = m10, m10 = m12, m12 = m9, m9 = m11, m11 = m5, m5 = word;
    word = m1;
    m1 = m6, m6 = m4, m4 = m7, m7 = m13, m13 = m14, m14 = m15, m15 = m8, m8 = word;
  }
  value[0] = v0 ^ v8, value[1] = v1 ^ v9, value[2] = v2 ^ v10, value[3] = v3 ^ v11;
  value[4] = v4 ^ v12, value[5] = v5 ^ v13, value[6] = v6 ^ v14, value[7] = v7 ^ v15;
}

function rotate(word: number, bits: number): number {
  return word >>> bits | word << (32 - bits);
}
