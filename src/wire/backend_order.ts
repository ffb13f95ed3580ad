// This module has no I/O.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { PROTOCOL_VERSION } from "./constants.ts";
import { validateEnvelope } from "./envelope.ts";
import type { EchoedFields } from "./frames.ts";
import { encodeFramedMessage } from "./framed_message.ts";
import { type Frame, FrameKind, FrameSchema } from "./gen/broker_v1_envelope_pb.ts";
import {
  BackendOrderAckSchema,
  BackendOrderSchema,
  QuiesceReason as WireReason,
} from "./gen/broker_v1_order_pb.ts";
import { embedMessage, tryDecodeStrict } from "./strict_decode.ts";
import { WireDecodeError } from "./wire_decode_error.ts";

/**
 * The payload protocol of orders to backends. Ours, from the range for private use (protocol 1.8): a backend
 * that is served by this package answers it itself, so its application must not speak it.
 */
export const BACKEND_ORDER_PAYLOAD_PROTOCOL = 0xf0b1;

/** The request id of every order. */
const ORDER_REQUEST_ID = 1n;

/** Why a backend is to end its work; the words of the reference (protocol 6.14). */
export type QuiesceReason = "IdleTimeout" | "BrokerShutdown" | "Maintenance";

/** What a broker may ask of a backend (protocol 6.14). */
export type BackendOrder =
  /** Close what is open below a directory, so that it can be moved or removed. */
  | { readonly kind: "ReleaseHandles"; readonly pathPrefix: string }
  /** Accept nothing more, and end once the connections that are there are over. */
  | {
    readonly kind: "Quiesce";
    readonly reason: QuiesceReason;
    /** Only when it has no connection; otherwise nothing changes. @default {false} */
    readonly onlyIfIdle?: boolean;
  };

/** What a backend says to an order. */
export interface OrderAnswer {
  /** Whether it was carried out. */
  readonly accepted: boolean;
  /** Why it was not; empty when it was. */
  readonly detail: string;
  /** Connections that the backend has, besides the one that the order came on. */
  readonly connectionsOpen: number;
}

const WIRE_REASONS: Readonly<Record<QuiesceReason, WireReason>> = {
  IdleTimeout: WireReason.QUIESCE_IDLE_TIMEOUT,
  BrokerShutdown: WireReason.QUIESCE_BROKER_SHUTDOWN,
  Maintenance: WireReason.QUIESCE_MAINTENANCE,
};

const REASONS: ReadonlyMap<WireReason, QuiesceReason> = new Map(
  (Object.keys(WIRE_REASONS) as QuiesceReason[]).map((reason) => [WIRE_REASONS[reason], reason]),
);

/** Bytes of a path that any supported system takes; an order has to fit into the first read of a backend. */
const PATH_PREFIX_BYTES_MAX = 4_096;

/**
 * Encodes an order with its frame and header.
 *
 * @throws {RangeError} When the path is empty or longer than 4096 bytes.
 */
export function encodeBackendOrder(order: BackendOrder): Uint8Array<ArrayBuffer> {
  return encodeFramedMessage({
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.REQUEST,
    payloadProtocol: BACKEND_ORDER_PAYLOAD_PROTOCOL,
    payload: embedMessage(BackendOrderSchema, orderMessage(order)),
    requestId: ORDER_REQUEST_ID,
  });
}

function orderMessage(order: BackendOrder): MessageInitShape<typeof BackendOrderSchema> {
  if (order.kind === "Quiesce") {
    const { reason, onlyIfIdle = false } = order;
    return { order: { case: "quiesce", value: { reason: WIRE_REASONS[reason], onlyIfIdle } } };
  }
  const { pathPrefix } = order;
  const bytes = new TextEncoder().encode(pathPrefix).length;
  if (bytes === 0 || bytes > PATH_PREFIX_BYTES_MAX) {
    throw new RangeError(
      `Cannot order to release handles: the path has ${bytes} bytes, wanted 1 to ${PATH_PREFIX_BYTES_MAX}`,
    );
  }
  return { order: { case: "releaseHandles", value: { pathPrefix } } };
}

/** An order, or why a frame holds none. */
export type BackendOrderDecode =
  | { readonly ok: true; readonly order: BackendOrder }
  | { readonly ok: false; readonly detail: string };

/**
 * Decodes an order on the backend's side. On a failure the connection is closed without an answer.
 *
 * @param frame A frame of {@linkcode BACKEND_ORDER_PAYLOAD_PROTOCOL}.
 */
export function decodeBackendOrder(frame: Frame): BackendOrderDecode {
  const expected = { kind: FrameKind.REQUEST, payloadProtocol: BACKEND_ORDER_PAYLOAD_PROTOCOL };
  const error = validateEnvelope(frame, expected);
  if (error !== undefined) return { ok: false, detail: `unexpected order frame: ${error.kind} ${error.got}` };
  const message = tryDecodeStrict(BackendOrderSchema, frame.payload);
  if (message instanceof WireDecodeError) return { ok: false, detail: message.detail };
  const { order } = message;
  switch (order.case) {
    case "releaseHandles":
      if (order.value.pathPrefix === "") return { ok: false, detail: "empty path prefix" };
      return { ok: true, order: { kind: "ReleaseHandles", pathPrefix: order.value.pathPrefix } };
    case "quiesce": {
      const reason = REASONS.get(order.value.reason);
      if (reason === undefined) return { ok: false, detail: `unknown quiesce reason ${order.value.reason}` };
      return { ok: true, order: { kind: "Quiesce", reason, onlyIfIdle: order.value.onlyIfIdle } };
    }
    case undefined:
      return { ok: false, detail: "unknown order" };
  }
}

/**
 * Encodes the answer to an order with its frame and header.
 *
 * @param request The order's frame, whose request id and trace fields are echoed.
 */
export function encodeOrderAnswer(request: EchoedFields, answer: OrderAnswer): Uint8Array<ArrayBuffer> {
  return encodeFramedMessage({
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.RESPONSE,
    payloadProtocol: BACKEND_ORDER_PAYLOAD_PROTOCOL,
    payload: embedMessage(BackendOrderAckSchema, answer),
    requestId: request.requestId,
    traceparent: request.traceparent,
    tracestate: request.tracestate,
  });
}

/** The answer to an order, or why what came is none. */
export type OrderAnswerDecode =
  | { readonly ok: true; readonly answer: OrderAnswer }
  | { readonly ok: false; readonly detail: string };

/**
 * Decodes the answer to an order on the broker's side.
 *
 * @param body The answering frame's body.
 */
export function decodeOrderAnswer(body: Uint8Array): OrderAnswerDecode {
  const frame = tryDecodeStrict(FrameSchema, body);
  if (frame instanceof WireDecodeError) return { ok: false, detail: frame.detail };
  const expected = { kind: FrameKind.RESPONSE, payloadProtocol: BACKEND_ORDER_PAYLOAD_PROTOCOL };
  const error = validateEnvelope(frame, expected);
  if (error !== undefined) {
    return { ok: false, detail: `unexpected answer frame: ${error.kind} ${error.got}` };
  }
  if (frame.requestId !== ORDER_REQUEST_ID) return { ok: false, detail: "answer to another request" };
  const ack = tryDecodeStrict(BackendOrderAckSchema, frame.payload);
  if (ack instanceof WireDecodeError) return { ok: false, detail: ack.detail };
  const { accepted, detail, connectionsOpen } = ack;
  return { ok: true, answer: { accepted, detail, connectionsOpen } };
}
