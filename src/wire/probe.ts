// This module has no I/O.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { concatBytes, constantTimeEqual } from "./bytes.ts";
import { NONCE_BYTES, PROTOCOL_VERSION } from "./constants.ts";
import { differingIdentityField, type IdentityField, identityProblem } from "./daemon_process.ts";
import { type EnvelopeError, envelopeText, validateEnvelope } from "./envelope.ts";
import { encodeFramed } from "./framing.ts";
import { type Frame, FrameKind, FrameSchema } from "./gen/broker_v1_envelope_pb.ts";
import { type DaemonProcess, DaemonProcessSchema } from "./gen/broker_v1_manifest_pb.ts";
import { BACKEND_PROBE_PAYLOAD_PROTOCOL } from "./payload_protocol.ts";
import { encodeMessage, tryDecodeStrict } from "./strict_decode.ts";
import { WireDecodeError } from "./wire_decode_error.ts";

/** The request id of a probe: the nonce's first eight bytes, little-endian (protocol 8.4). */
export function probeRequestId(nonce: Uint8Array): bigint {
  const view = new DataView(nonce.buffer, nonce.byteOffset, nonce.byteLength);
  return view.getBigUint64(0, true);
}

/** Trace context of a probe, echoed by the backend. */
export interface ProbeTrace {
  /** The W3C trace id and parent. */
  readonly traceparent?: string;
  /** The vendor part. */
  readonly tracestate?: string;
}

/**
 * Encodes the question who listens at an endpoint, with its frame and header (protocol 8.4).
 *
 * @param nonce 32 random bytes, never used before.
 * @param trace Trace context.
 * @returns One buffer to write.
 * @throws {RangeError} When the nonce has another length.
 */
export function encodeProbeRequest(nonce: Uint8Array, trace: ProbeTrace = {}): Uint8Array<ArrayBuffer> {
  if (nonce.length !== NONCE_BYTES) {
    throw new RangeError(`Cannot probe: the nonce has ${nonce.length} bytes, wanted ${NONCE_BYTES}`);
  }
  return encodeFramed({
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.REQUEST,
    payloadProtocol: BACKEND_PROBE_PAYLOAD_PROTOCOL,
    payload: nonce,
    requestId: probeRequestId(nonce),
    ...trace,
  });
}

/** What a backend answers every probe with, encoded once. */
export interface ProbeIdentity {
  /** The encoded `DaemonProcess`. */
  readonly bytes: Uint8Array;
}

/**
 * Encodes the identity that a backend answers probes with.
 *
 * @param identity The backend's identity.
 * @returns The encoded identity.
 */
export function encodeProbeIdentity(identity: MessageInitShape<typeof DaemonProcessSchema>): ProbeIdentity {
  return { bytes: encodeMessage(DaemonProcessSchema, identity) };
}

/** The reply to write, or why there is none. `detail` is the reference's text. */
export type ProbeAnswer =
  | { readonly ok: true; readonly reply: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly kind: "UnexpectedFrame" | "MalformedPayload"; readonly detail: string };

/**
 * Answers a probe on the backend's side (protocol 8.4). On a failure the connection is dropped without
 * an answer.
 *
 * @param frame The probe's frame.
 * @param identity Who the backend is.
 * @returns The framed reply, or why there is none.
 */
export function answerProbe(frame: Frame, identity: ProbeIdentity): ProbeAnswer {
  const expected = { kind: FrameKind.REQUEST, payloadProtocol: BACKEND_PROBE_PAYLOAD_PROTOCOL };
  const error = validateEnvelope(frame, expected);
  if (error !== undefined) {
    const detail = `unexpected endpoint probe request: ${envelopeText(error, "endpoint probe")}`;
    return { ok: false, kind: "UnexpectedFrame", detail };
  }
  if (frame.payload.length !== NONCE_BYTES) {
    const detail = "endpoint probe request payload is malformed: nonce must be 32 bytes";
    return { ok: false, kind: "MalformedPayload", detail };
  }
  const { payloadProtocol, requestId, traceparent, tracestate } = frame;
  const reply = encodeFramed({
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.RESPONSE,
    payloadProtocol,
    payload: concatBytes(frame.payload, identity.bytes),
    requestId,
    traceparent,
    tracestate,
  });
  return { ok: true, reply };
}

/** The reference's names for a response that proves nothing. */
export type ProbeFailureKind =
  | "DecodeFrame"
  | "UnexpectedFrame"
  | "MalformedPayload"
  | "DecodeDaemonProcess"
  | "Identity"
  | "IdentityMismatch";

/** Why a response proves nothing. `detail` is the reference's text. */
export interface ProbeFailure {
  /** Tells a failure from a result. */
  readonly ok: false;
  /** The reference's name for it. */
  readonly kind: ProbeFailureKind;
  /** The reference's text for it. */
  readonly detail: string;
  /** For `IdentityMismatch`: the first field that differs. */
  readonly field?: IdentityField;
}

/** Who answered, or why that is not known. */
export type ProbeResult = { readonly ok: true; readonly identity: DaemonProcess } | ProbeFailure;

/**
 * Checks the answer to a probe (protocol 8.4, steps 3 to 6).
 *
 * @param body The answering frame's body.
 * @param nonce The nonce that was sent.
 * @param expected Who has to answer; without it step 6 is left to the caller.
 * @returns Who answered, or why that is not known.
 */
export function decodeProbeResponse(
  body: Uint8Array,
  nonce: Uint8Array,
  expected?: DaemonProcess,
): ProbeResult {
  const frame = tryDecodeStrict(FrameSchema, body);
  if (frame instanceof WireDecodeError) {
    return failure("DecodeFrame", `failed to decode endpoint probe response Frame: ${frame.detail}`);
  }
  const problem = responseProblem(frame, probeRequestId(nonce));
  if (problem !== undefined) return unexpectedFrame(problem);
  const result = decodeProbePayload(frame.payload, nonce);
  if (!result.ok || expected === undefined) return result;
  const field = differingIdentityField(result.identity, expected);
  if (field === undefined) return result;
  const what = "endpoint probe response identity did not match expected daemon identity";
  return { ...failure("IdentityMismatch", `${what}: ${field}`), field };
}

/** The request id is judged before the encoding here, and only here. */
function responseProblem(frame: Frame, requestId: bigint): string | undefined {
  const expected = { kind: FrameKind.RESPONSE, payloadProtocol: BACKEND_PROBE_PAYLOAD_PROTOCOL };
  const error: EnvelopeError | undefined = validateEnvelope(frame, expected);
  if (error !== undefined && error.kind !== "PayloadEncoding") return envelopeText(error, "endpoint probe");
  if (frame.requestId !== requestId) return "request_id does not match endpoint probe request";
  return error === undefined ? undefined : envelopeText(error, "endpoint probe");
}

/**
 * Checks the payload of an answer: the nonce, then a usable identity (protocol 8.4, step 5).
 *
 * @param payload The answering frame's payload.
 * @param nonce The nonce that was sent.
 * @returns Who answered, or why that is not known.
 */
export function decodeProbePayload(payload: Uint8Array, nonce: Uint8Array): ProbeResult {
  if (payload.length < NONCE_BYTES) {
    const detail = "endpoint probe response payload is malformed: payload shorter than nonce";
    return failure("MalformedPayload", detail);
  }
  if (!constantTimeEqual(payload.subarray(0, NONCE_BYTES), nonce)) {
    return unexpectedFrame("nonce does not match endpoint probe request");
  }
  const identity = tryDecodeStrict(DaemonProcessSchema, payload.subarray(NONCE_BYTES));
  if (identity instanceof WireDecodeError) {
    const detail = `failed to decode endpoint probe daemon identity: ${identity.detail}`;
    return failure("DecodeDaemonProcess", detail);
  }
  const problem = identityProblem(identity);
  return problem === undefined ? { ok: true, identity } : failure("Identity", problem);
}

function unexpectedFrame(problem: string): ProbeFailure {
  return failure("UnexpectedFrame", `unexpected endpoint probe response: ${problem}`);
}

function failure(kind: ProbeFailureKind, detail: string): ProbeFailure {
  return { ok: false, kind, detail };
}
