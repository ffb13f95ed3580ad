import { BACKEND_ORDER_PAYLOAD_PROTOCOL } from "../wire/backend_order.ts";
import { concatBytes } from "../wire/bytes.ts";
import { FRAME_HEADER_BYTES, FRAMING_VERSION_V1 } from "../wire/constants.ts";
import { tryDecodeFramed } from "../wire/framing.ts";
import type { Frame } from "../wire/gen/broker_v1_envelope_pb.ts";
import { BACKEND_PROBE_PAYLOAD_PROTOCOL } from "../wire/payload_protocol.ts";
import { answerProbe, type ProbeIdentity } from "../wire/probe.ts";
import type { LocalStream } from "../transport/local_stream.ts";

/** No probe is longer: 32 bytes of nonce and a trace context. A longer frame is the application's. */
const PROBE_BODY_BYTES_MAX = 16 * 1024;

/** What is answered here and never the application's. */
const ANSWERED: ReadonlySet<number> = new Set([
  BACKEND_PROBE_PAYLOAD_PROTOCOL,
  BACKEND_ORDER_PAYLOAD_PROTOCOL,
]);

/** What stands at the front of a connection after its probes were answered. */
export type FirstBytes =
  /** The application's bytes, all of them still in the stream. */
  | "payload"
  /** The client left, or asked only who we are. */
  | "end"
  /** A probe that is none. */
  | "malformed-probe"
  /** A broker's order, which was answered. */
  | "order"
  /** A frame of orders that holds none. */
  | "malformed-order";

/** Carries out an order. @returns The framed answer; `undefined` when the frame holds no order. */
export type TakeOrder = (frame: Frame) => Promise<Uint8Array | undefined>;

/**
 * Answers identity probes until a connection brings something for the application (protocol 8.4, 8.8).
 *
 * Without a limit in time: a client may connect long before it speaks, and costs no more than its socket.
 *
 * @param probed Called for each answered probe.
 * @param takeOrder Without it orders are the application's bytes, as on connections that were passed.
 */
export async function awaitFirstBytes(
  stream: LocalStream,
  identity: Promise<ProbeIdentity>,
  probed: () => void,
  takeOrder?: TakeOrder,
): Promise<FirstBytes> {
  let front = new Uint8Array(0);
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) return giveBack(stream, front);
    front = front.length === 0 ? new Uint8Array(chunk) : concatBytes(front, chunk);
    for (let look = probeAtFront(front); look !== "need-more"; look = probeAtFront(front)) {
      if (look === "payload") return giveBack(stream, front);
      if (look.frame.payloadProtocol === BACKEND_ORDER_PAYLOAD_PROTOCOL) {
        return takeOrder === undefined
          ? giveBack(stream, front)
          : await answerOrder(stream, look.frame, takeOrder);
      }
      const answer = answerProbe(look.frame, await identity);
      if (!answer.ok) return "malformed-probe";
      await stream.write(answer.reply);
      probed();
      front = front.slice(look.consumed);
    }
  }
}

function giveBack(stream: LocalStream, front: Uint8Array): FirstBytes {
  if (front.length === 0) return "end";
  stream.unread(front);
  return "payload";
}

async function answerOrder(stream: LocalStream, frame: Frame, takeOrder: TakeOrder): Promise<FirstBytes> {
  const answer = await takeOrder(frame);
  if (answer === undefined) return "malformed-order";
  await stream.write(answer);
  return "order";
}

type Look = "need-more" | "payload" | Extract<ReturnType<typeof tryDecodeFramed>, { kind: "frame" }>;

function probeAtFront(front: Uint8Array): Look {
  if (front.length === 0) return "need-more";
  if (front[0] !== FRAMING_VERSION_V1) return "payload";
  if (front.length < FRAME_HEADER_BYTES) return "need-more";
  const bodyBytes = new DataView(front.buffer, front.byteOffset).getUint32(1, true);
  if (bodyBytes > PROBE_BODY_BYTES_MAX) return "payload";
  const decoded = tryDecodeFramed(front);
  if (decoded.kind === "need-more") return "need-more";
  return decoded.kind === "frame" && ANSWERED.has(decoded.frame.payloadProtocol) ? decoded : "payload";
}
