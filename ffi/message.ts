// This module has no I/O.

import type { Layout } from "./layout.ts";
import type { Libc } from "./libc.ts";

/**
 * A reusable message: `msghdr`, one `iovec`, control data and payload, one behind the other in one buffer.
 *
 * One buffer, made explicitly and whose address is taken once: the parts point at each other, and a runtime may
 * move the bytes of a typed array that it allocated by itself. Calls are synchronous, so one arena serves all
 * calls of its kind, one after the other.
 */
export class MessageArena {
  /** The whole, beginning with the header: what `sendmsg` and `recvmsg` take. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The control data. */
  readonly control: DataView<ArrayBuffer>;
  /** The payload. */
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly #layout: Layout;
  readonly #header: DataView<ArrayBuffer>;
  readonly #vectorLengthOffset: number;

  /**
   * @param libc Tells where the buffer lies.
   * @param layout The structs of this kernel.
   * @param controlBytes Room for control data; a multiple of 8.
   * @param payloadBytes Room for the payload.
   */
  constructor(libc: Pick<Libc, "address">, layout: Layout, controlBytes: number, payloadBytes: number) {
    const { message, vector } = layout;
    const controlStart = message.bytes + vector.bytes;
    const payloadStart = controlStart + controlBytes;
    const buffer = new ArrayBuffer(payloadStart + payloadBytes);
    this.bytes = new Uint8Array(buffer);
    this.control = new DataView(buffer, controlStart, controlBytes);
    this.payload = new Uint8Array(buffer, payloadStart, payloadBytes);
    this.#layout = layout;
    this.#header = new DataView(buffer, 0, controlStart);
    this.#vectorLengthOffset = message.bytes + vector.lengthOffset;

    const base = libc.address(this.bytes);
    const header = this.#header;
    header.setBigUint64(message.vectorOffset, base + BigInt(message.bytes), true);
    header.setUint32(message.vectorCountOffset, 1, true);
    header.setBigUint64(message.controlOffset, base + BigInt(controlStart), true);
    header.setBigUint64(message.bytes + vector.baseOffset, base + BigInt(payloadStart), true);
  }

  /** Sets the lengths for the next call: of the payload, and of the control data (all its room when receiving). */
  prepare(payloadBytes: number, controlBytes: number): void {
    const { controlLengthOffset, flagsOffset } = this.#layout.message;
    this.#header.setUint32(this.#vectorLengthOffset, payloadBytes, true);
    this.#header.setUint32(controlLengthOffset, controlBytes, true);
    this.#header.setInt32(flagsOffset, 0, true);
  }

  /** How many bytes of control data the kernel wrote. */
  get controlBytesSeen(): number {
    return this.#header.getUint32(this.#layout.message.controlLengthOffset, true);
  }

  /** The flags that the kernel set on what it delivered. */
  get flagsSeen(): number {
    return this.#header.getInt32(this.#layout.message.flagsOffset, true);
  }
}
