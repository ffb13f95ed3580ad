// This module has no I/O.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { constantTimeEqual } from "./bytes.ts";
import { PROTOCOL_VERSION } from "./constants.ts";
import { envelopeText, validateEnvelope } from "./envelope.ts";
import { encodeFramedMessage } from "./framed_message.ts";
import {
  type Frame,
  FrameKind,
  FrameSchema,
  type HandoffAck,
  HandoffAckSchema,
  type HandoffOffer,
  HandoffOfferSchema,
} from "./gen/broker_v1_envelope_pb.ts";
import { HANDOFF_PAYLOAD_PROTOCOL } from "./payload_protocol.ts";
import { embedMessage, encodeMessage, tryDecodeStrict } from "./strict_decode.ts";
import { WireDecodeError } from "./wire_decode_error.ts";

/** An offer, with the fields that are not default. */
export type HandoffOfferInit = MessageInitShape<typeof HandoffOfferSchema>;
/** An answer to an offer, with the fields that are not default. */
export type HandoffAckInit = MessageInitShape<typeof HandoffAckSchema>;

/** The frame of an offer, from broker to backend (protocol 7.6). */
export function handoffOfferFrame(offer: HandoffOfferInit): Frame {
  const payload = encodeMessage(HandoffOfferSchema, offer);
  return create(FrameSchema, fields(FrameKind.REQUEST, offer.correlationId, payload));
}

/** The frame of the answer to an offer, from backend to broker (protocol 7.6). */
export function handoffAckFrame(ack: HandoffAckInit): Frame {
  const payload = encodeMessage(HandoffAckSchema, ack);
  return create(FrameSchema, fields(FrameKind.RESPONSE, ack.correlationId, payload));
}

/** The frame of the ready event for the client (protocol 7.6). */
export function handoffReadyFrame(ack: HandoffAckInit): Frame {
  const payload = encodeMessage(HandoffAckSchema, ack);
  return create(FrameSchema, fields(FrameKind.EVENT, ack.correlationId, payload));
}

/** Encodes an offer with its frame and header. */
export function encodeHandoffOffer(offer: HandoffOfferInit): Uint8Array<ArrayBuffer> {
  const payload = embedMessage(HandoffOfferSchema, offer);
  return encodeFramedMessage(fields(FrameKind.REQUEST, offer.correlationId, payload));
}

/** Encodes the answer to an offer with its frame and header. */
export function encodeHandoffAck(ack: HandoffAckInit): Uint8Array<ArrayBuffer> {
  const payload = embedMessage(HandoffAckSchema, ack);
  return encodeFramedMessage(fields(FrameKind.RESPONSE, ack.correlationId, payload));
}

/** Encodes the ready event with its frame and header. */
export function encodeHandoffReady(ack: HandoffAckInit): Uint8Array<ArrayBuffer> {
  const payload = embedMessage(HandoffAckSchema, ack);
  return encodeFramedMessage(fields(FrameKind.EVENT, ack.correlationId, payload));
}

function fields<Payload>(kind: FrameKind, correlationId: bigint | undefined, payload: Payload) {
  return {
    envelopeVersion: PROTOCOL_VERSION,
    kind,
    payloadProtocol: HANDOFF_PAYLOAD_PROTOCOL,
    payload,
    requestId: correlationId ?? 0n,
  };
}

/**
 * Checks that a frame is one of the handoff's, of the kind that belongs at its place (protocol 7.6).
 *
 * @param frame The frame.
 * @param kind Request for an offer, response for its answer, event for the client.
 * @returns What is wrong, in the reference's words, or undefined.
 */
export function validateHandoffFrame(frame: Frame, kind: FrameKind): string | undefined {
  const error = validateEnvelope(frame, { kind, payloadProtocol: HANDOFF_PAYLOAD_PROTOCOL });
  return error === undefined ? undefined : envelopeText(error, "handoff");
}

/** A message of the handoff, or why the frame holds none. `detail` is the reference's text. */
export type HandoffDecode<Key extends string, Message> =
  | ({ readonly ok: true } & { readonly [key in Key]: Message })
  | { readonly ok: false; readonly detail: string };

/** A decoded frame whose envelope is right, or what is wrong with it. */
type HandoffFrame = { readonly frame: Frame } | { readonly detail: string };

function decodeHandoffFrame(body: Uint8Array, kind: FrameKind, messageName: string): HandoffFrame {
  const frame = tryDecodeStrict(FrameSchema, body);
  if (frame instanceof WireDecodeError) {
    return { detail: `failed to decode ${messageName} Frame: ${frame.detail}` };
  }
  const problem = validateHandoffFrame(frame, kind);
  if (problem === undefined) return { frame };
  return { detail: `unexpected ${messageName} frame: ${problem}` };
}

/**
 * Decodes an offer on the backend's side (protocol 8.1). A backend that cannot decode it sends no
 * answer and drops the connection.
 *
 * @param body The frame's body.
 * @returns The offer, or why there is none. Its token is not checked here.
 */
export function decodeHandoffOffer(body: Uint8Array): HandoffDecode<"offer", HandoffOffer> {
  const decoded = decodeHandoffFrame(body, FrameKind.REQUEST, "HandoffOffer");
  if ("detail" in decoded) return { ok: false, detail: decoded.detail };
  const offer = tryDecodeStrict(HandoffOfferSchema, decoded.frame.payload);
  if (offer instanceof WireDecodeError) {
    return { ok: false, detail: `failed to decode HandoffOffer payload: ${offer.detail}` };
  }
  if (decoded.frame.requestId === offer.correlationId) return { ok: true, offer };
  const problem = "frame request_id does not match HandoffOffer correlation_id";
  return { ok: false, detail: `unexpected HandoffOffer frame: ${problem}` };
}

/** What a broker offered, to be echoed by the answer. */
export interface OfferedHandoff {
  /** The offer's correlation id, which is also its frame's request id. */
  readonly correlationId: bigint;
  /** The one-time token. */
  readonly token: Uint8Array;
}

/** An answer that accepts, or why the handoff did not happen. */
export type HandoffAckDecode =
  | { readonly ok: true; readonly ack: HandoffAck }
  | {
    readonly ok: false;
    /** "rejected": the backend said no and gave the connection up. "unobserved": it said nothing valid. */
    readonly reason: "rejected" | "unobserved";
    /** The reference's text. */
    readonly detail: string;
  };

/**
 * Decodes and checks the backend's answer on the broker's side, up to and including `accepted`
 * (protocol 7.7). The deadline is the caller's to check.
 *
 * @param body The frame's body.
 * @param findOffer The offer that a request id belongs to: the only one, or one of many in flight.
 * @returns The answer when it accepts, or why there is none.
 */
export function decodeHandoffAck(
  body: Uint8Array,
  findOffer: (requestId: bigint) => OfferedHandoff | undefined,
): HandoffAckDecode {
  const decoded = decodeHandoffFrame(body, FrameKind.RESPONSE, "HandoffAck");
  if ("detail" in decoded) return unobserved(decoded.detail);
  const { requestId, payload } = decoded.frame;
  const offered = findOffer(requestId);
  if (offered?.correlationId !== requestId) {
    const wanted = offered === undefined ? "any offer" : `correlation id ${offered.correlationId}`;
    return unobserved(`HandoffAck frame request_id ${requestId} does not match ${wanted}`);
  }
  const ack = tryDecodeStrict(HandoffAckSchema, payload);
  if (ack instanceof WireDecodeError) {
    return unobserved(`failed to decode HandoffAck payload: ${ack.detail}`);
  }
  if (ack.correlationId !== offered.correlationId) {
    const wanted = `does not match offer correlation id ${offered.correlationId}`;
    return unobserved(`HandoffAck correlation id ${ack.correlationId} ${wanted}`);
  }
  if (!constantTimeEqual(ack.token, offered.token)) {
    return unobserved("HandoffAck token echo does not match the offered token");
  }
  if (ack.accepted) return { ok: true, ack };
  const why = ack.errorDetail === "" ? "no detail provided" : ack.errorDetail;
  return { ok: false, reason: "rejected", detail: `backend refused the handoff: ${why}` };
}

function unobserved(detail: string): HandoffAckDecode {
  return { ok: false, reason: "unobserved", detail };
}

/**
 * Decodes and checks the ready event on the client's side (protocol 5.3, S10). Neither the frame's
 * request id nor the correlation id is compared, as in the reference.
 *
 * @param body The body of the first frame behind the HelloReply.
 * @param token The token that the HelloReply carried.
 * @returns The event, or why the client has to reconnect.
 */
export function decodeHandoffReady(body: Uint8Array, token: Uint8Array): HandoffDecode<"ack", HandoffAck> {
  const decoded = decodeHandoffFrame(body, FrameKind.EVENT, "handoff-ready");
  if ("detail" in decoded) return { ok: false, detail: decoded.detail };
  const ack = tryDecodeStrict(HandoffAckSchema, decoded.frame.payload);
  if (ack instanceof WireDecodeError) {
    return { ok: false, detail: `failed to decode handoff-ready payload: ${ack.detail}` };
  }
  if (!constantTimeEqual(ack.token, token)) {
    return { ok: false, detail: "handoff-ready token does not match the negotiated token" };
  }
  return ack.accepted ? { ok: true, ack } : { ok: false, detail: "handoff-ready event does not accept" };
}
