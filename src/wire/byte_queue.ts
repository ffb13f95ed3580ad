// This module has no I/O.

const INITIAL_BYTES = 256;

/** Shared: most frames come in one piece, and then nothing is ever held. */
const EMPTY = new Uint8Array(0);

/** Bytes that arrive at the back and leave at the front. It grows by what arrived, never by what was promised. */
export class ByteQueue {
  #buffer = EMPTY;
  #start = 0;
  #end = 0;

  /** How many bytes are held. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** A view of what is held, good until the next call. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Takes a copy of a chunk. */
  append(chunk: Uint8Array): void {
    const wanted = this.length + chunk.length;
    if (this.#end + chunk.length > this.#buffer.length) {
      // Doubling keeps many small chunks linear; a buffer that is large enough is only tidied up.
      const isEnough = wanted * 2 <= this.#buffer.length;
      const roomBytes = Math.max(wanted, 2 * this.length, INITIAL_BYTES);
      const target = isEnough ? this.#buffer : new Uint8Array(roomBytes);
      target.set(this.bytes);
      this.#end = this.length;
      this.#start = 0;
      this.#buffer = target;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Drops bytes from the front. */
  discard(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    // Empty: a buffer that once held a large frame is not kept for the rest of a connection's life.
    this.#buffer = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }
}
