// This module has no I/O.
import { copyOf } from "./bytes.ts";
import { type WireDecodeErrorKind, WireDecodeFailure } from "./wire_decode_error.ts";

// Strings up to this length are decoded here: calling the platform's decoder costs more than they do.
const SHORT_TEXT_BYTES = 48;

// "fatal" rejects what a Rust String rejects; a byte-order mark is kept, as it is there.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Stops decoding. */
export function failDecode(kind: WireDecodeErrorKind, text: string): never {
  throw new WireDecodeFailure(kind, text);
}

/** A position in a message's bytes. Every method reads on from there or throws WireDecodeFailure. */
export class ByteReader {
  /** The message's bytes; not copied. */
  readonly bytes: Uint8Array;
  /** Where the next value begins. */
  position = 0;
  /** The upper 32 bits of the varint read last. */
  high = 0;

  /** Starts at the first byte. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.bytes.length - this.position;
  }

  /** The lower 32 bits of the next varint; the upper ones are in `high`. */
  varint(): number {
    const first = this.#nextVarintByte();
    if (first < 0x80) {
      this.high = 0;
      return first;
    }
    return this.#longVarint(first);
  }

  #nextVarintByte(): number {
    const byte = this.bytes[this.position];
    if (byte === undefined) failDecode("InvalidVarint", "invalid varint");
    this.position += 1;
    return byte;
  }

  /** Seven bits a byte: four whole bytes and half of the fifth make the lower word. */
  #longVarint(first: number): number {
    let low = first & 0x7f;
    let high = 0;
    for (let index = 1;; index++) {
      const byte = this.#nextVarintByte();
      if (index < 4) low |= (byte & 0x7f) << (7 * index);
      else if (index === 4) {
        low |= (byte & 0x0f) << 28;
        high = (byte & 0x7f) >> 4;
      } else high |= (byte & 0x7f) << (7 * index - 32);
      // The tenth byte carries bit 63 and nothing else, so there is no eleventh.
      if (index === 9 && byte > 1) break;
      if (byte < 0x80) {
        this.high = high >>> 0;
        return low >>> 0;
      }
    }
    return failDecode("InvalidVarint", "invalid varint");
  }

  /** The next varint in full. */
  varint64(): bigint {
    const low = this.varint();
    return this.high === 0 ? BigInt(low) : (BigInt(this.high) << 32n) | BigInt(low);
  }

  /** A length prefix, checked against what is there before anything is done with it. */
  length(): number {
    const low = this.varint();
    if (this.high !== 0 || low > this.remaining) failDecode("BufferUnderflow", "buffer underflow");
    return low;
  }

  /** A field key: the field's number, shifted left by three, and its wire type. */
  key(): number {
    const key = this.varint();
    if (this.high !== 0) {
      const value = (BigInt(this.high) << 32n) | BigInt(key);
      failDecode("InvalidKey", `invalid key value: ${value}`);
    }
    const wireType = key & 7;
    if (wireType > 5) failDecode("InvalidWireType", `invalid wire type value: ${wireType}`);
    if (key >>> 3 === 0) failDecode("InvalidTag", "invalid tag value: 0");
    return key;
  }

  /** Moves on by a number of bytes. */
  skip(count: number): void {
    if (count > this.remaining) failDecode("BufferUnderflow", "buffer underflow");
    this.position += count;
  }

  /** The bytes behind a length prefix, as a copy. */
  delimitedBytes(): Uint8Array<ArrayBuffer> {
    const length = this.length();
    const start = this.position;
    this.position += length;
    return copyOf(this.bytes, start, start + length);
  }

  /** The text behind a length prefix. */
  delimitedText(): string {
    const length = this.length();
    const start = this.position;
    const end = start + length;
    this.position = end;
    let text = "";
    if (length <= SHORT_TEXT_BYTES) {
      let at = start;
      for (; at < end; at++) {
        const byte = this.bytes[at]!;
        if (byte >= 0x80) break;
        text += String.fromCharCode(byte);
      }
      if (at === end) return text;
    }
    try {
      return utf8.decode(this.bytes.subarray(start, end));
    } catch {
      // The decoder tells no more than this.
      return failDecode("InvalidString", "invalid string value: data is not UTF-8 encoded");
    }
  }
}
