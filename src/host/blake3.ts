// This module has no I/O.
import {
  BLAKE3_BLOCK_BYTES,
  BLAKE3_START,
  CHUNK_END,
  CHUNK_START,
  compressBlock,
  PARENT,
  ROOT,
} from "./blake3_compress.ts";

/** Bytes of a leaf of the tree. */
const CHUNK_BYTES = 1024;
/** Bytes of a chaining value and of the digest. */
const VALUE_BYTES = 32;

/**
 * BLAKE3-256 over a stream of bytes.
 *
 * Names use the library's BLAKE3; this one is for executables of 100 MB, where it takes 0.5 s
 * instead of the library's 2 s (V8, one core).
 */
export class Blake3 {
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  readonly #chunkView = new DataView(this.#chunk.buffer);
  readonly #parent = new Uint8Array(BLAKE3_BLOCK_BYTES);
  readonly #parentView = new DataView(this.#parent.buffer);
  readonly #value = new Int32Array(BLAKE3_START.length);
  /** The values of the complete subtrees on the left that wait for their siblings, largest first. */
  readonly #subtrees: Uint8Array[] = [];
  #chunkBytes = 0;
  #chunkCount = 0;

  /** Takes the next bytes of the input. They are not kept. */
  update(bytes: Uint8Array): this {
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#chunkBytes === CHUNK_BYTES) this.#closeChunk();
      const end = Math.min(bytes.length, offset + CHUNK_BYTES - this.#chunkBytes);
      this.#chunk.set(bytes.subarray(offset, end), this.#chunkBytes);
      this.#chunkBytes += end - offset;
      offset = end;
    }
    return this;
  }

  /**
   * The digest of all bytes taken. Nothing may be added afterwards.
   *
   * @returns 32 bytes of the caller's own.
   */
  digest(): Uint8Array<ArrayBuffer> {
    let digest = this.#hashChunk(this.#subtrees.length === 0 ? ROOT : 0);
    for (let left = this.#subtrees.pop(); left !== undefined; left = this.#subtrees.pop()) {
      digest = this.#hashParent(left, digest, this.#subtrees.length === 0 ? ROOT : 0);
    }
    return digest;
  }

  /** A chunk is closed when more input follows only, since the last one of all is hashed differently. */
  #closeChunk(): void {
    let value = this.#hashChunk(0);
    this.#chunkCount += 1;
    // Each factor 2 of the count completes one more subtree.
    for (let count = this.#chunkCount; count % 2 === 0; count /= 2) {
      value = this.#hashParent(this.#subtrees.pop()!, value, 0);
    }
    this.#subtrees.push(value);
    this.#chunkBytes = 0;
  }

  #hashChunk(flags: number): Uint8Array<ArrayBuffer> {
    const value = this.#value;
    value.set(BLAKE3_START);
    this.#chunk.fill(0, this.#chunkBytes);
    let flag = CHUNK_START;
    let at = 0;
    for (; this.#chunkBytes - at > BLAKE3_BLOCK_BYTES; at += BLAKE3_BLOCK_BYTES) {
      compressBlock(value, this.#chunkView, at, this.#chunkCount, BLAKE3_BLOCK_BYTES, flag);
      flag = 0;
    }
    const last = flag | CHUNK_END | flags;
    compressBlock(value, this.#chunkView, at, this.#chunkCount, this.#chunkBytes - at, last);
    return littleEndian(value);
  }

  #hashParent(left: Uint8Array, right: Uint8Array, flags: number): Uint8Array<ArrayBuffer> {
    this.#value.set(BLAKE3_START);
    this.#parent.set(left);
    this.#parent.set(right, VALUE_BYTES);
    compressBlock(this.#value, this.#parentView, 0, 0, BLAKE3_BLOCK_BYTES, PARENT | flags);
    return littleEndian(this.#value);
  }
}

function littleEndian(words: Int32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(VALUE_BYTES);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setInt32(4 * index, word, true));
  return bytes;
}
