// This module has no I/O.
import { decodeHandoffAck } from "../wire/handoff_frames.ts";

/** Offers that wait for their ACK on one channel: a backend answers in batches, and an entry costs no descriptor. */
export const WARM_OFFERS_MAX = 1_024;

/** An offer on a warm channel whose ACK has not come yet. */
export interface WarmOffer {
  /** Ties it to its ACK: the connection id of the Hello, never used twice on a channel (model rule 18). */
  readonly correlationId: bigint;
  /** The token that went with the descriptor. */
  readonly token: Uint8Array;
  /** When it was made, in milliseconds. */
  readonly startMs: number;
  /** When its ACK comes too late, in milliseconds. */
  readonly deadlineMs: number;
}

/** What a frame on a doorbell means to the offers under way. */
export type WarmAck =
  | { readonly kind: "accepted"; readonly offer: WarmOffer }
  | { readonly kind: "rejected"; readonly offer: WarmOffer; readonly detail: string }
  /** It is no answer, or names no offer that still waits: it changes nothing (model rule 19). */
  | { readonly kind: "unmatched"; readonly detail: string };

/** The offers of one warm channel between their leaving and their end. */
export class WarmOffers {
  /** In order of their deadlines. */
  readonly #offers = new Map<bigint, WarmOffer>();

  /** Offers that wait for an ACK. */
  get size(): number {
    return this.#offers.size;
  }

  /** Whether one more may be made. */
  get hasRoom(): boolean {
    return this.#offers.size < WARM_OFFERS_MAX;
  }

  /** When the first of their ACKs is late, in milliseconds; `undefined` when none is awaited. */
  get oldestDeadlineMs(): number | undefined {
    for (const { deadlineMs } of this.#offers.values()) return deadlineMs;
    return undefined;
  }

  /** Books an offer that has left. Deadlines must not go back. */
  add(offer: WarmOffer): void {
    this.#offers.set(offer.correlationId, offer);
  }

  /** Ends the offer that an ACK names by correlation id and token. */
  settle(body: Uint8Array): WarmAck {
    let offer: WarmOffer | undefined;
    const answer = decodeHandoffAck(body, (requestId) => offer = this.#offers.get(requestId));
    if (offer === undefined || (!answer.ok && answer.reason === "unobserved")) {
      return { kind: "unmatched", detail: answer.ok ? "no offer waits for this ACK" : answer.detail };
    }
    this.#offers.delete(offer.correlationId);
    if (!answer.ok) return { kind: "rejected", offer, detail: answer.detail };
    if (answer.ack.readyRelayed) return { kind: "accepted", offer };
    return { kind: "rejected", offer, detail: "the backend accepted without the ready event it promised" };
  }

  /** Ends them all: the channel is gone. */
  takeAll(): WarmOffer[] {
    const offers = [...this.#offers.values()];
    this.#offers.clear();
    return offers;
  }
}
