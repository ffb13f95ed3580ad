import type { AckWait, HandoffAckWait } from "../handoff/ack_wait.ts";
import type { HandoffToken } from "../handoff/handoff_token.ts";
import type { OfferDelivery } from "../handoff/orchestrate_windows.ts";
import { withDeadline } from "../transport/deadline.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import { decodeHandoffAck, encodeHandoffOffer } from "../wire/handoff_frames.ts";
import { readFrame } from "../wire/read_frame.ts";
import type { Clock } from "./clock.ts";

/** What a handoff reads and writes frames on. */
export type HandoffStream = Pick<LocalStream, "read" | "unread" | "write">;

/** One handoff on a connection to a backend. */
export interface WireHandoffDeliveryParts<Stream extends HandoffStream> {
  /** The connection to the backend; stays the caller's. */
  readonly stream: Stream;
  /** The service the client asked for. */
  readonly serviceName: string;
  /** Ties the offer to its ACK: the connection id of the Hello that led to it. */
  readonly correlationId: bigint;
  /** The clock of the orchestrator. @default {performance.now} */
  readonly clock?: Clock | undefined;
}

/** Offers a connection by frames and waits for the one frame that answers (protocol 7.6 and 7.7). */
export class WireHandoffDelivery<Stream extends HandoffStream> implements HandoffAckWait {
  /** The connection to the backend; the caller's, also after the handoff. */
  readonly stream: Stream;
  /** Ties the offer to its ACK. */
  readonly correlationId: bigint;
  readonly #serviceName: string;
  readonly #clock: Clock;

  /**
   * Prepares one handoff; nothing is written yet.
   *
   * @param parts The handoff.
   */
  constructor(parts: WireHandoffDeliveryParts<Stream>) {
    this.stream = parts.stream;
    this.correlationId = parts.correlationId;
    this.#serviceName = parts.serviceName;
    this.#clock = parts.clock ?? (() => performance.now());
  }

  /**
   * Encodes the offer.
   *
   * @param handleValue The duplicate's value in the backend; 0 on Unix.
   * @param token The handoff's token.
   */
  offerBytes(handleValue: bigint, token: HandoffToken): Uint8Array<ArrayBuffer> {
    const { correlationId } = this;
    return encodeHandoffOffer({
      handleValue,
      token: token.toBytes(),
      serviceName: this.#serviceName,
      correlationId,
    });
  }

  /**
   * Writes the offer. Never rejects.
   *
   * @param handleValue The duplicate's value in the backend; 0 on Unix.
   * @param token The handoff's token.
   * @returns Whether it left; a write that failed counts as one that sent something.
   */
  async deliver(handleValue: bigint, token: HandoffToken): Promise<OfferDelivery> {
    try {
      await this.stream.write(this.offerBytes(handleValue, token));
      return { ok: true };
    } catch (error) {
      const detail = `failed to write HandoffOffer frame: ${(error as Error).message}`;
      return { ok: false, detail, bytesSent: 1 };
    }
  }

  /**
   * Reads the one frame that has to be the answer: correlation id and token must both be the offer's.
   * Progress does not extend the deadline. Never rejects.
   *
   * @param token The offer's token.
   * @param deadlineMs When to give up, on this delivery's clock.
   */
  async awaitBackendAck(token: HandoffToken, deadlineMs: number): Promise<AckWait> {
    const { correlationId } = this;
    const wait = { deadlineMs: Math.max(0, deadlineMs - this.#clock()) };
    try {
      const body = await withDeadline("see the backend's ACK", wait, (signal) => {
        return readFrame(this.stream, { signal });
      });
      const atMs = this.#clock();
      const answer = decodeHandoffAck(body, () => ({ correlationId, token: token.toBytes() }));
      if (answer.ok) return { kind: "observed", atMs };
      return { kind: answer.reason === "rejected" ? "rejected" : "not-observed", detail: answer.detail };
    } catch (error) {
      return { kind: "not-observed", detail: `failed to read HandoffAck frame: ${(error as Error).message}` };
    }
  }
}
