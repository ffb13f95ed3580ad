// This module has no I/O.
import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import { FRAMING_VERSION_V1 } from "./constants.ts";
import type { WireDecodeError } from "./wire_decode_error.ts";

/** What went wrong between a byte stream and a frame (protocol 1.5). */
export type FramingErrorKind =
  | "UnsupportedFramingVersion"
  | "FrameTooLarge"
  | "UnexpectedEof"
  | "Io"
  | "Decode";

/** Which part of a frame a stream ended in. */
export type FramePart = "framing byte" | "body length header" | "frame body";

const CODES: Readonly<Record<FramingErrorKind, BrokerErrorCode>> = {
  UnsupportedFramingVersion: "protocol",
  FrameTooLarge: "protocol",
  UnexpectedEof: "closed",
  Io: "os",
  Decode: "protocol",
};

/** Bytes that are not a frame, or a stream that ended in the middle of one. Nothing more can be read. */
export class FramingError extends BrokerError {
  /** The class's name. */
  override readonly name: string = "FramingError";
  /** What went wrong. */
  readonly kind: FramingErrorKind;
  /** The text that protocol 1.5 gives for it. */
  readonly detail: string;
  /** For `UnexpectedEof`: the part the stream ended in. */
  readonly context: FramePart | undefined;

  /**
   * Made by the functions of this file, one a kind.
   *
   * @param kind What went wrong.
   * @param detail The text for it.
   * @param options `context` for `UnexpectedEof`; `cause` keeps the original error.
   */
  constructor(kind: FramingErrorKind, detail: string, options: ErrorOptions & { context?: FramePart } = {}) {
    super(CODES[kind], detail, options);
    this.kind = kind;
    this.detail = detail;
    this.context = options.context;
  }
}

/** The first byte is not the version of this framing. */
export function unsupportedFramingVersion(got: number): FramingError {
  const detail = `unsupported framing version: got ${got}, expected ${FRAMING_VERSION_V1}`;
  return new FramingError("UnsupportedFramingVersion", detail);
}

/** The header announces, or the caller wants to write, a body beyond the limit. */
export function frameTooLarge(bodyBytes: number, frameBytesMax: number): FramingError {
  const detail = `frame body too large: ${bodyBytes} bytes exceeds cap ${frameBytesMax}`;
  return new FramingError("FrameTooLarge", detail);
}

/** The stream ended inside a frame, or where one had to begin. */
export function unexpectedEof(context: FramePart): FramingError {
  return new FramingError("UnexpectedEof", `unexpected EOF while reading frame (${context})`, { context });
}

/** Reading or writing failed. */
export function framingIo(cause: unknown): FramingError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new FramingError("Io", `I/O error: ${text}`, { cause });
}

/** The body is not a Frame. */
export function frameDecode(cause: WireDecodeError): FramingError {
  return new FramingError("Decode", `failed to decode Frame body: ${cause.detail}`, { cause });
}
