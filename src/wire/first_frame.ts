// This module has no I/O.
import { HELLO_BYTES_MAX } from "./constants.ts";
import { type EnvelopeErrorKind, validateEnvelope } from "./envelope.ts";
import type { FramingErrorKind } from "./framing_error.ts";
import {
  ErrorCode,
  type Frame,
  FrameKind,
  FrameSchema,
  type Hello,
  HelloSchema,
} from "./gen/broker_v1_envelope_pb.ts";
import type { Refusal } from "./hello.ts";
import { ADMIN_PAYLOAD_PROTOCOL, CONTROL_PAYLOAD_PROTOCOL } from "./payload_protocol.ts";
import { tryDecodeStrict } from "./strict_decode.ts";
import { WireDecodeError } from "./wire_decode_error.ts";

// How long a client waits before it asks a broker again that runs out of descriptors.
const FD_PRESSURE_RETRY_MS = 1_000n;

function rejected(reason: string): Refusal {
  return { code: ErrorCode.ERROR_PEER_REJECTED, reason };
}

function unsupported(reason: string): Refusal {
  return { code: ErrorCode.ERROR_VERSION_UNSUPPORTED, reason };
}

const TOO_LARGE = rejected("initial Hello frame exceeds 64 KiB");
const INCOMPLETE = rejected("incomplete Hello frame");

/** The refusal for bytes from which no frame could be read; it goes out with request id 0 (protocol 6.4). */
export const FRAMING_REFUSALS: Readonly<Record<FramingErrorKind, Refusal>> = {
  UnsupportedFramingVersion: unsupported("unsupported framing version"),
  FrameTooLarge: TOO_LARGE,
  UnexpectedEof: INCOMPLETE,
  Io: INCOMPLETE,
  Decode: rejected("malformed Hello frame"),
};

/** The refusal of every Hello while the broker is short of descriptors (protocol 6.9). */
export const FD_PRESSURE_REFUSAL: Refusal = {
  code: ErrorCode.ERROR_FD_PRESSURE,
  reason: "broker is low on file descriptors; retry shortly",
  retryAfterMs: FD_PRESSURE_RETRY_MS,
};

/** What a broker has to do with a connection's first frame. */
export type FirstFrameRoute =
  /** Without `frame` the refusal goes out with request id 0. */
  | { readonly kind: "refuse"; readonly frame: Frame | undefined; readonly refusal: Refusal }
  | { readonly kind: "admin"; readonly frame: Frame }
  | { readonly kind: "hello"; readonly frame: Frame };

/**
 * Tells an operator's request from a Hello (protocol 6.4, steps 3 to 7).
 *
 * An admin frame may be as large as any frame, and is served also under descriptor pressure.
 *
 * @param body The first frame's body.
 * @param isUnderFdPressure Whether Hellos are refused for lack of descriptors.
 * @returns What to do.
 */
export function routeFirstFrame(body: Uint8Array, isUnderFdPressure: boolean): FirstFrameRoute {
  const frame = tryDecodeStrict(FrameSchema, body);
  if (frame instanceof WireDecodeError) {
    return { kind: "refuse", frame: undefined, refusal: rejected("malformed broker Frame") };
  }
  if (frame.payloadProtocol === ADMIN_PAYLOAD_PROTOCOL) return { kind: "admin", frame };
  if (body.length > HELLO_BYTES_MAX) return { kind: "refuse", frame, refusal: TOO_LARGE };
  if (isUnderFdPressure) return { kind: "refuse", frame, refusal: FD_PRESSURE_REFUSAL };
  return { kind: "hello", frame };
}

const ENVELOPE_REFUSALS: Readonly<Record<EnvelopeErrorKind, Refusal>> = {
  EnvelopeVersion: unsupported("frame envelope_version is not v1"),
  Kind: rejected("Hello frame kind must be REQUEST"),
  PayloadProtocol: rejected("Hello frame payload_protocol must be control-plane"),
  PayloadEncoding: rejected("Hello payload must not be compressed"),
};

/** A Hello, or why its frame holds none. */
export type HelloDecode =
  | { readonly ok: true; readonly hello: Hello }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Decodes the Hello in a frame (protocol 6.6). What the Hello says is checked elsewhere.
 *
 * @param frame The frame.
 * @returns The Hello, or the refusal to answer with.
 */
export function decodeHello(frame: Frame): HelloDecode {
  const expected = { kind: FrameKind.REQUEST, payloadProtocol: CONTROL_PAYLOAD_PROTOCOL };
  const error = validateEnvelope(frame, expected);
  if (error !== undefined) return { ok: false, refusal: ENVELOPE_REFUSALS[error.kind] };
  const hello = tryDecodeStrict(HelloSchema, frame.payload);
  if (hello instanceof WireDecodeError) return { ok: false, refusal: rejected("malformed Hello payload") };
  return { ok: true, hello };
}
