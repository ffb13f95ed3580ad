// This module has no I/O.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { PROTOCOL_VERSION } from "./constants.ts";
import { type EnvelopeError, envelopeText, validateEnvelope } from "./envelope.ts";
import type { EchoedFields } from "./frames.ts";
import { encodeFramedMessage } from "./framed_message.ts";
import {
  type AdminReply,
  AdminReplySchema,
  type AdminRequest,
  AdminRequestSchema,
} from "./gen/broker_v1_admin_pb.ts";
import { type Frame, FrameKind, FrameSchema } from "./gen/broker_v1_envelope_pb.ts";
import { ADMIN_PAYLOAD_PROTOCOL } from "./payload_protocol.ts";
import { embedMessage, tryDecodeStrict } from "./strict_decode.ts";
import { WireDecodeError } from "./wire_decode_error.ts";

/** The request id of every admin request. */
export const ADMIN_REQUEST_ID = 1n;

/** Encodes an operator's request with its frame and header (protocol 5.4). */
export function encodeAdminRequest(
  request: MessageInitShape<typeof AdminRequestSchema>,
): Uint8Array<ArrayBuffer> {
  return encodeFramedMessage({
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.REQUEST,
    payloadProtocol: ADMIN_PAYLOAD_PROTOCOL,
    payload: embedMessage(AdminRequestSchema, request),
    requestId: ADMIN_REQUEST_ID,
  });
}

/**
 * Encodes the answer to an operator's request with its frame and header (protocol 6.11).
 *
 * @param request The request's frame, whose request id and trace fields are echoed.
 * @param reply The answer.
 * @returns One buffer to write.
 */
export function encodeAdminReply(
  request: EchoedFields,
  reply: MessageInitShape<typeof AdminReplySchema>,
): Uint8Array<ArrayBuffer> {
  return encodeFramedMessage({
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.RESPONSE,
    payloadProtocol: ADMIN_PAYLOAD_PROTOCOL,
    payload: embedMessage(AdminReplySchema, reply),
    requestId: request.requestId,
    traceparent: request.traceparent,
    tracestate: request.tracestate,
  });
}

/** The reference's names for a frame that holds no admin request. */
export type AdminRequestFailureKind =
  | "UnsupportedEnvelopeVersion"
  | "UnexpectedKind"
  | "UnexpectedPayloadProtocol"
  | "UnsupportedPayloadEncoding"
  | "Decode";

/** An operator's request, or why the frame holds none. `detail` is the reference's text. */
export type AdminRequestDecode =
  | { readonly ok: true; readonly request: AdminRequest }
  | { readonly ok: false; readonly kind: AdminRequestFailureKind; readonly detail: string };

/**
 * Decodes an operator's request on the broker's side (protocol 6.11). On a failure the connection is
 * closed without an answer.
 *
 * @param frame The request's frame.
 * @returns The request, or why there is none.
 */
export function decodeAdminRequest(frame: Frame): AdminRequestDecode {
  const expected = { kind: FrameKind.REQUEST, payloadProtocol: ADMIN_PAYLOAD_PROTOCOL };
  const error = validateEnvelope(frame, expected);
  if (error !== undefined) return { ok: false, ...requestFailure(error) };
  const request = tryDecodeStrict(AdminRequestSchema, frame.payload);
  if (request instanceof WireDecodeError) return { ok: false, kind: "Decode", detail: request.detail };
  return { ok: true, request };
}

function requestFailure({ kind, got }: EnvelopeError): { kind: AdminRequestFailureKind; detail: string } {
  switch (kind) {
    case "EnvelopeVersion":
      return {
        kind: "UnsupportedEnvelopeVersion",
        detail: `unsupported admin frame envelope_version ${got}`,
      };
    case "Kind":
      return { kind: "UnexpectedKind", detail: `admin frame kind must be REQUEST, got ${got}` };
    case "PayloadProtocol":
      return {
        kind: "UnexpectedPayloadProtocol",
        detail: `admin frame payload_protocol must be 0xAD01, got ${got}`,
      };
    case "PayloadEncoding":
      return {
        kind: "UnsupportedPayloadEncoding",
        detail: `admin frame payload must not be compressed, got ${got}`,
      };
  }
}

/** The reference's names for an answer that is no AdminReply. */
export type AdminReplyFailureKind = "DecodeFrame" | "UnexpectedResponseFrame" | "DecodeAdminReply";

/** The broker's answer, or why it is none. */
export type AdminReplyDecode =
  | { readonly ok: true; readonly reply: AdminReply }
  | {
    readonly ok: false;
    readonly kind: AdminReplyFailureKind;
    /** What was wrong in itself, for example `payload_protocol is not admin`. */
    readonly cause: string;
    /** The reference's text for it. */
    readonly detail: string;
  };

const REPLY_DETAILS: Readonly<Record<AdminReplyFailureKind, string>> = {
  DecodeFrame: "failed to decode broker response Frame: ",
  UnexpectedResponseFrame: "unexpected broker response frame: ",
  DecodeAdminReply: "failed to decode broker AdminReply: ",
};

/**
 * Decodes the broker's answer on the operator's side (protocol 5.4).
 *
 * @param body The answering frame's body.
 * @returns The answer, or why there is none.
 */
export function decodeAdminReply(body: Uint8Array): AdminReplyDecode {
  const frame = tryDecodeStrict(FrameSchema, body);
  if (frame instanceof WireDecodeError) return replyFailure("DecodeFrame", frame.detail);
  const expected = { kind: FrameKind.RESPONSE, payloadProtocol: ADMIN_PAYLOAD_PROTOCOL };
  const error = validateEnvelope(frame, expected);
  if (error !== undefined) return replyFailure("UnexpectedResponseFrame", envelopeText(error, "admin"));
  const reply = tryDecodeStrict(AdminReplySchema, frame.payload);
  if (reply instanceof WireDecodeError) return replyFailure("DecodeAdminReply", reply.detail);
  return { ok: true, reply };
}

function replyFailure(kind: AdminReplyFailureKind, cause: string): AdminReplyDecode {
  return { ok: false, kind, cause, detail: REPLY_DETAILS[kind] + cause };
}
