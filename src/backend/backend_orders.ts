import {
  type BackendOrder,
  decodeBackendOrder,
  encodeOrderAnswer,
  type OrderAnswer,
} from "../wire/backend_order.ts";
import type { Frame } from "../wire/gen/broker_v1_envelope_pb.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import type { AskPeer } from "../transport/transport.ts";
import type { BackendObserver } from "./backend_event.ts";
import type { BrokerCheck } from "./broker_check.ts";

/** Units of text of an application's error that are sent back: enough for a sentence with a path. */
const DETAIL_LENGTH_MAX = 500;

/** What carrying out orders needs. */
export interface BackendOrdersParts {
  /** Whether a peer may give orders. */
  readonly checkBroker: BrokerCheck;
  /** Connections besides the one that the order came on. */
  readonly connectionsOpen: (besides: LocalStream) => number;
  /** Stops accepting, or says that there are connections; ends the backend when they are over. */
  readonly quiesce: (
    order: Extract<BackendOrder, { kind: "Quiesce" }>,
    besides: LocalStream,
  ) => Promise<OrderAnswer>;
  /** The application's part in releasing handles; `undefined` when it has none. */
  readonly onReleaseHandles: ((pathPrefix: string) => void | Promise<void>) | undefined;
  /** Told of each order. */
  readonly observe: BackendObserver;
}

/** Carries out what a broker orders on the backend's own endpoint. */
export class BackendOrders {
  readonly #parts: BackendOrdersParts;

  /** Makes the desk of one backend. */
  constructor(parts: BackendOrdersParts) {
    this.#parts = parts;
  }

  /**
   * Carries out an order if its sender may give it.
   *
   * @param stream The connection that the order came on.
   * @returns The framed answer; `undefined` for a frame that holds no order.
   */
  async answer(frame: Frame, stream: LocalStream, peer: AskPeer): Promise<Uint8Array | undefined> {
    const decoded = decodeBackendOrder(frame);
    if (!decoded.ok) return undefined;
    const { order } = decoded;
    const reason = await this.#parts.checkBroker(peer());
    const answer = reason === undefined ? await this.#carryOut(order, stream) : this.#refusal(stream, reason);
    const { accepted, detail } = answer;
    this.#parts.observe({ kind: "order", order: order.kind, accepted, detail });
    return encodeOrderAnswer(frame, answer);
  }

  async #carryOut(order: BackendOrder, stream: LocalStream): Promise<OrderAnswer> {
    if (order.kind === "Quiesce") return await this.#parts.quiesce(order, stream);
    const { onReleaseHandles, connectionsOpen } = this.#parts;
    if (onReleaseHandles === undefined) {
      return this.#refusal(stream, "this backend does not know how to release handles");
    }
    try {
      await onReleaseHandles(order.pathPrefix);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return this.#refusal(stream, detail.slice(0, DETAIL_LENGTH_MAX));
    }
    return { accepted: true, detail: "", connectionsOpen: connectionsOpen(stream) };
  }

  #refusal(stream: LocalStream, detail: string): OrderAnswer {
    return { accepted: false, detail, connectionsOpen: this.#parts.connectionsOpen(stream) };
  }
}
