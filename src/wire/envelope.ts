// This module has no I/O.
import { PROTOCOL_VERSION } from "./constants.ts";
import { type Frame, FrameKind, PayloadEncoding } from "./gen/broker_v1_envelope_pb.ts";

/** Which of the four envelope fields was wrong; the words of the reference. */
export type EnvelopeErrorKind = "EnvelopeVersion" | "Kind" | "PayloadProtocol" | "PayloadEncoding";

/** What was wrong with a frame's envelope. */
export interface EnvelopeError {
  /** The field that was wrong. */
  readonly kind: EnvelopeErrorKind;
  /** The raw number in the frame. */
  readonly got: number;
  /** The number it had to be. */
  readonly expected: number;
}

/** What a frame has to be at the place where it was read. */
export interface ExpectedEnvelope {
  /** Request, response or event. */
  readonly kind: FrameKind;
  /** What the payload has to be. */
  readonly payloadProtocol: number;
}

/**
 * Checks a frame's envelope; the first failure counts (protocol 1.7).
 *
 * The request id is not part of this: whoever has one to compare does so afterwards.
 *
 * @param frame The frame.
 * @param expected What it has to be.
 * @returns What is wrong, or undefined.
 */
export function validateEnvelope(frame: Frame, expected: ExpectedEnvelope): EnvelopeError | undefined {
  if (frame.envelopeVersion !== PROTOCOL_VERSION) {
    return { kind: "EnvelopeVersion", got: frame.envelopeVersion, expected: PROTOCOL_VERSION };
  }
  if (frame.kind !== expected.kind) {
    return { kind: "Kind", got: frame.kind, expected: expected.kind };
  }
  if (frame.payloadProtocol !== expected.payloadProtocol) {
    return { kind: "PayloadProtocol", got: frame.payloadProtocol, expected: expected.payloadProtocol };
  }
  if (frame.payloadEncoding !== PayloadEncoding.NONE) {
    return { kind: "PayloadEncoding", got: frame.payloadEncoding, expected: PayloadEncoding.NONE };
  }
  return undefined;
}

/** What the payload protocol is called in error texts. */
export type EnvelopePlane = "control-plane" | "admin" | "handoff" | "endpoint probe";

/**
 * The text that the reference's callers give an envelope error (protocol 1.7, the table of call sites).
 *
 * @param error What was wrong.
 * @param plane What was expected to be spoken.
 * @returns The text.
 */
export function envelopeText(error: EnvelopeError, plane: EnvelopePlane): string {
  switch (error.kind) {
    case "EnvelopeVersion":
      return "envelope_version is not v1";
    case "Kind":
      return `kind is not ${FRAME_KIND_NAMES[error.expected]}`;
    case "PayloadProtocol":
      return `payload_protocol is not ${plane}`;
    case "PayloadEncoding":
      return "payload is compressed";
  }
}

const FRAME_KIND_NAMES: Readonly<Record<number, string>> = {
  [FrameKind.REQUEST]: "REQUEST",
  [FrameKind.RESPONSE]: "RESPONSE",
  [FrameKind.EVENT]: "EVENT",
  [FrameKind.CANCEL]: "CANCEL",
};
