// This module has no I/O.
import { create } from "@bufbuild/protobuf";
import { PROTOCOL_VERSION } from "./constants.ts";
import { type Frame, FrameKind, FrameSchema } from "./gen/broker_v1_envelope_pb.ts";

/** The parts of a request that a reply echoes. */
export type EchoedFields = Pick<Frame, "requestId" | "traceparent" | "tracestate">;

/** What a reply echoes when no request could be decoded. */
export const NOTHING_TO_ECHO: EchoedFields = { requestId: 0n, traceparent: "", tracestate: "" };

/**
 * A request: request id 0, no deadline, no trace (protocol 1.6).
 *
 * @param payloadProtocol What the payload is; see the payload-protocol registry.
 * @param payload The payload; it is copied.
 * @returns The frame.
 */
export function requestFrame(payloadProtocol: number, payload: Uint8Array): Frame {
  return newFrame(FrameKind.REQUEST, payloadProtocol, payload);
}

/**
 * The answer to a request: its payload protocol, request id and trace fields (protocol 1.6).
 *
 * @param request The request.
 * @param payload The payload; it is copied.
 * @returns The frame.
 */
export function responseTo(request: Frame, payload: Uint8Array): Frame {
  const { payloadProtocol, requestId, traceparent, tracestate } = request;
  const frame = newFrame(FrameKind.RESPONSE, payloadProtocol, payload);
  return Object.assign(frame, { requestId, traceparent, tracestate });
}

/**
 * An event, which nobody asked for: request id 0, no deadline, no trace.
 *
 * @param payloadProtocol What the payload is.
 * @param payload The payload; it is copied.
 * @returns The frame.
 */
export function eventFrame(payloadProtocol: number, payload: Uint8Array): Frame {
  return newFrame(FrameKind.EVENT, payloadProtocol, payload);
}

/** The same frame under another request id. */
export function withRequestId(frame: Frame, requestId: bigint): Frame {
  return { ...frame, requestId };
}

/** The same frame with other trace fields. */
export function withTrace(frame: Frame, traceparent: string, tracestate = ""): Frame {
  return { ...frame, traceparent, tracestate };
}

/** The same frame with a deadline in milliseconds since the epoch. Nothing in v1 reads it. */
export function withDeadline(frame: Frame, deadlineUnixMs: bigint): Frame {
  return { ...frame, deadlineUnixMs };
}

function newFrame(kind: FrameKind, payloadProtocol: number, payload: Uint8Array): Frame {
  const envelopeVersion = PROTOCOL_VERSION;
  return create(FrameSchema, { envelopeVersion, kind, payloadProtocol, payload: new Uint8Array(payload) });
}
