// This module has no I/O.
import { constantTimeEqual } from "../wire/bytes.ts";
import { HANDOFF_TOKEN_BYTES } from "../wire/constants.ts";

/** Draws random bytes; the caller passes the operating system's generator. */
export type HandoffRandom = (byteLength: typeof HANDOFF_TOKEN_BYTES) => Uint8Array;

const REDACTED = "HandoffToken(redacted)";

/**
 * The one-time secret that ties a passed connection to one negotiated Hello (protocol 7.3).
 *
 * Every way of printing it shows a fixed text, so that a token never reaches a log.
 */
export class HandoffToken {
  readonly #bytes: Uint8Array;
  #mapKey: string | undefined;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Makes a token of bytes that were received or drawn.
   *
   * @param bytes The token; copied.
   * @returns The token, or nothing unless there are exactly {@linkcode HANDOFF_TOKEN_BYTES} bytes.
   */
  static fromBytes(bytes: Uint8Array): HandoffToken | undefined {
    return bytes.length === HANDOFF_TOKEN_BYTES ? new HandoffToken(new Uint8Array(bytes)) : undefined;
  }

  /**
   * The token's bytes, for the wire only.
   *
   * @returns A copy.
   */
  toBytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes);
  }

  /**
   * The token as a key of a map. As secret as the token: never print it.
   *
   * @returns A string of 16 characters, equal for equal tokens only.
   */
  toMapKey(): string {
    return this.#mapKey ??= String.fromCharCode.apply(null, this.#bytes as unknown as number[]);
  }

  /**
   * Compares in a time that does not depend on the contents.
   *
   * @param other The other token.
   * @returns Whether the bytes are the same.
   */
  equals(other: HandoffToken): boolean {
    return constantTimeEqual(this.#bytes, other.#bytes);
  }

  /** A fixed text instead of the secret. */
  toString(): string {
    return REDACTED;
  }

  /** A fixed text instead of the secret. */
  toJSON(): string {
    return REDACTED;
  }

  /** What Node.js and Bun print for the token. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }

  /** What Deno prints for the token. */
  [Symbol.for("Deno.customInspect")](): string {
    return REDACTED;
  }
}
