// This module has no I/O.
import { BrokerError } from "../errors.ts";

/** What was wrong with the bytes of a message. */
export type WireDecodeErrorKind =
  | "InvalidVarint"
  | "InvalidKey"
  | "InvalidWireType"
  | "InvalidTag"
  | "UnexpectedWireType"
  | "BufferUnderflow"
  | "DelimitedLengthExceeded"
  | "UnexpectedEndGroupTag"
  | "RecursionLimitReached"
  | "InvalidString";

/**
 * Bytes that are not a message of the wanted type (protocol 1.9).
 *
 * `detail` is the text the reference prints, with the innermost field first.
 */
export class WireDecodeError extends BrokerError {
  /** The class's name. */
  override readonly name: string = "WireDecodeError";
  /** What was wrong. */
  readonly kind: WireDecodeErrorKind;
  /** The whole text, for example `failed to decode Protobuf message: Frame.kind: invalid varint`. */
  readonly detail: string;

  /**
   * Made by the decoder.
   *
   * @param kind What was wrong.
   * @param text The same in words.
   * @param path The fields it happened in as `Message.field`, innermost first.
   */
  constructor(kind: WireDecodeErrorKind, text: string, path: readonly string[]) {
    const detail = `failed to decode Protobuf message: ${[...path, text].join(": ")}`;
    super("protocol", detail);
    this.kind = kind;
    this.detail = detail;
  }
}

/**
 * The same on its way up through the fields. Not an `Error`: no caller sees it, and hostile input
 * must not cost a stack trace a nesting level.
 */
export class WireDecodeFailure {
  /** What was wrong. */
  readonly kind: WireDecodeErrorKind;
  /** The same in words. */
  readonly text: string;
  /** The fields passed so far. */
  readonly path: string[] = [];

  /** A failure that has not passed a field yet. */
  constructor(kind: WireDecodeErrorKind, text: string) {
    this.kind = kind;
    this.text = text;
  }
}
