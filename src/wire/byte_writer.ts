// This module has no I/O.

const INITIAL_BYTES = 256;
// What usually follows a large payload: without it a second growth would copy the payload again.
const SLACK_BYTES = 256;
// As in the reader: short text is cheaper to write here than through the platform's encoder.
const SHORT_TEXT_LENGTH = 48;
// A UTF-16 unit takes at most three bytes of UTF-8.
const UTF8_BYTES_PER_UNIT = 3;
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

// Nearly every message fits; what is sent is a copy of its size, since a large buffer costs more than the message.
const SCRATCH_BYTES = 4_096;

const utf8 = new TextEncoder();
/** Nobody's but the writer's that has taken it. */
let scratch: Uint8Array<ArrayBuffer> | undefined = new Uint8Array(SCRATCH_BYTES);

/** Bytes that grow at the end. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #isScratch = false;
  /** How many bytes were written. */
  position = 0;

  /**
   * Starts empty.
   *
   * @param expectedBytes Saves growing when it is right; may be wrong.
   */
  constructor(expectedBytes: number = INITIAL_BYTES) {
    if (scratch === undefined || expectedBytes > SCRATCH_BYTES) {
      this.#bytes = new Uint8Array(expectedBytes);
      return;
    }
    this.#bytes = scratch;
    this.#isScratch = true;
    scratch = undefined;
  }

  #reserve(count: number): void {
    const wanted = this.position + count;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted + SLACK_BYTES, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.position));
    this.#giveBack();
    this.#bytes = grown;
  }

  /** A varint of up to 53 bits. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.position++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.position++] = rest;
  }

  /** A varint of up to 64 bits. */
  varint64(value: bigint): void {
    if (value <= SAFE_MAX) return this.varint(Number(value));
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7fn) {
      this.#bytes[this.position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.position++] = Number(rest);
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Text behind its length in bytes. The caller has made sure that the text is well-formed. */
  delimitedText(text: string): void {
    const start = this.beginDelimited();
    this.#reserve(text.length * UTF8_BYTES_PER_UNIT);
    if (text.length > SHORT_TEXT_LENGTH || !this.#ascii(text)) {
      this.position += utf8.encodeInto(text, this.#bytes.subarray(this.position)).written;
    }
    this.endDelimited(start);
  }

  /** Writes text if it is ASCII, else leaves the position where it was. */
  #ascii(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      this.#bytes[this.position + i] = code;
    }
    this.position += text.length;
    return true;
  }

  /** What is written from here to `endDelimited` gets its length in front. One byte is kept free: most need no more. */
  beginDelimited(): number {
    this.#reserve(1);
    return ++this.position;
  }

  /** @param start What `beginDelimited` gave. */
  endDelimited(start: number): void {
    const length = this.position - start;
    if (length < 0x80) {
      this.#bytes[start - 1] = length;
      return;
    }
    let lengthBytes = 1;
    for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 0x80)) lengthBytes += 1;
    const end = this.position + lengthBytes - 1;
    this.#reserve(lengthBytes - 1);
    this.#bytes.copyWithin(start + lengthBytes - 1, start, this.position);
    this.position = start - 1;
    this.varint(length);
    this.position = end;
  }

  /** The bytes written so far. The writer must not be used again. */
  finish(): Uint8Array<ArrayBuffer> {
    if (!this.#isScratch) {
      // A writer that failed half-way has kept it.
      scratch ??= new Uint8Array(SCRATCH_BYTES);
      return this.#bytes.subarray(0, this.position);
    }
    const copy = this.#bytes.slice(0, this.position);
    this.#giveBack();
    return copy;
  }

  #giveBack(): void {
    if (!this.#isScratch) return;
    scratch = this.#bytes;
    this.#isScratch = false;
  }
}
