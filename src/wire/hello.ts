// This module has no I/O.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { CAPABILITY_HANDLE_PASSING, PROTOCOL_VERSION } from "./constants.ts";
import type { EchoedFields } from "./frames.ts";
import { NOTHING_TO_ECHO } from "./frames.ts";
import { encodeFramedMessage } from "./framed_message.ts";
import {
  type ErrorCode,
  FrameKind,
  HelloReplySchema,
  HelloSchema,
  type NegotiatedSchema,
} from "./gen/broker_v1_envelope_pb.ts";
import { CONTROL_PAYLOAD_PROTOCOL } from "./payload_protocol.ts";
import type { EmbeddedMessage } from "./message_encoder.ts";
import { embedMessage } from "./strict_decode.ts";

/** The request id of every Hello; the broker echoes it and nobody compares it. */
export const HELLO_REQUEST_ID = 1n;
// Written by the reference as well; nobody reads it.
const HELLO_MESSAGE_REQUEST_ID = "hello";

/** What a client says about itself and what it wants (protocol 5.2). */
export interface HelloOptions {
  /** The service whose backend is wanted. */
  readonly serviceName: string;
  /** The version of that service. */
  readonly wantedVersion: string;
  /** The client's own process id. */
  readonly peerPid: number;
  /** Informational, at most 128 bytes. */
  readonly clientVersion?: string;
  /** At most 64 bytes. */
  readonly clientLibName?: string;
  /** At most 64 bytes. */
  readonly clientLibVersion?: string;
  /**
   * Capability bits.
   *
   * @default {1n} Handle passing: as in the reference also when the client will not wait for it.
   */
  readonly clientCapabilities?: bigint;
  /** Seconds; 0 asks for the broker's default. */
  readonly clientKeepaliveSecs?: bigint;
  /** A session token, for brokers (since reference release 4.10.1) that want one. */
  readonly authToken?: Uint8Array;
  /** W3C trace context, echoed by the broker and handed to a backend it launches. */
  readonly traceparent?: string;
  /** The vendor part of the trace context. */
  readonly tracestate?: string;
}

/**
 * Encodes a Hello with its frame and header (protocol 5.2).
 *
 * @param options Who asks for what.
 * @returns One buffer to write.
 */
export function encodeHello(options: HelloOptions): Uint8Array<ArrayBuffer> {
  const { traceparent, tracestate, ...fields } = options;
  const payload = embedMessage(HelloSchema, {
    clientCapabilities: CAPABILITY_HANDLE_PASSING,
    ...fields,
    clientMinProtocol: PROTOCOL_VERSION,
    clientMaxProtocol: PROTOCOL_VERSION,
    requestId: HELLO_MESSAGE_REQUEST_ID,
  });
  return encodeFramedMessage({
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.REQUEST,
    payloadProtocol: CONTROL_PAYLOAD_PROTOCOL,
    payload,
    requestId: HELLO_REQUEST_ID,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  });
}

/** Why a broker declines; what travels in `Refused`. */
export interface Refusal {
  /** The class of refusal. */
  readonly code: ErrorCode;
  /** The reason in words; the texts of the protocol have to match. */
  readonly reason: string;
  /** Milliseconds after which another try may succeed; 0 or absent: no hint. */
  readonly retryAfterMs?: bigint;
}

/**
 * Encodes an accepting HelloReply with its frame and header (protocol 6.8).
 *
 * @param request The Hello's frame, whose request id and trace fields are echoed.
 * @param negotiated The reply; `negotiatedProtocol` is added.
 * @returns One buffer to write.
 */
export function encodeNegotiatedReply(
  request: EchoedFields,
  negotiated: MessageInitShape<typeof NegotiatedSchema>,
): Uint8Array<ArrayBuffer> {
  const value = { ...negotiated, negotiatedProtocol: PROTOCOL_VERSION };
  return encodeReply(request, embedMessage(HelloReplySchema, { result: { case: "negotiated", value } }));
}

/**
 * Encodes a refusing HelloReply with its frame and header (protocol 6.4).
 *
 * @param request The frame that is refused, or undefined when none could be decoded: request id 0, no trace.
 * @param refusal Why.
 * @returns One buffer to write.
 */
export function encodeRefusedReply(
  request: EchoedFields | undefined,
  refusal: Refusal,
): Uint8Array<ArrayBuffer> {
  const value = {
    reason: refusal.reason,
    code: refusal.code,
    daemonMinProtocol: PROTOCOL_VERSION,
    daemonMaxProtocol: PROTOCOL_VERSION,
    retryAfterMs: refusal.retryAfterMs ?? 0n,
  };
  const payload = embedMessage(HelloReplySchema, { result: { case: "refused", value } });
  return encodeReply(request ?? NOTHING_TO_ECHO, payload);
}

/** The payload protocol is the control plane's also where the request's was another. */
function encodeReply(request: EchoedFields, payload: EmbeddedMessage): Uint8Array<ArrayBuffer> {
  return encodeFramedMessage({
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.RESPONSE,
    payloadProtocol: CONTROL_PAYLOAD_PROTOCOL,
    payload,
    requestId: request.requestId,
    traceparent: request.traceparent,
    tracestate: request.tracestate,
  });
}
