// This module has no I/O.

const INITIAL_BYTES = 256;
// What usually follows a large payload: without it a second growth would copy the payload again.
const SLACK_BYTES = 256;
// As in the reader: short text is cheaper to write here than through the platform's encoder.
const SHORT_TEXT_LENGTH = 48;
// A UTF-16 unit takes at most three bytes of UTF-8.
const UTF8_BYTES_PER_UNIT = 3;
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

const utf8 = new TextEncoder();

/** Bytes that grow at the end. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  /** How many bytes were written. */
  position = 0;

  /**
   * Starts empty.
   *
   * @param expectedBytes Saves growing when it is right; may be wrong.
   */
  constructor(expectedBytes: number = INITIAL_BYTES) {
    this.#bytes = new Uint8Array(expectedBytes);
  }

  #reserve(count: number): void {
    const wanted = this.position + count;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted + SLACK_BYTES, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.position));
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
    this.delimited(() => {
      this.#reserve(text.length * UTF8_BYTES_PER_UNIT);
      if (text.length <= SHORT_TEXT_LENGTH && this.#ascii(text)) return;
      this.position += utf8.encodeInto(text, this.#bytes.subarray(this.position)).written;
    });
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

  /** What `write` writes, behind its length. One byte is kept free for the length: most need no more. */
  delimited(write: () => void): void {
    this.#reserve(1);
    const start = ++this.position;
    write();
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
    return this.#bytes.subarray(0, this.position);
  }
}
