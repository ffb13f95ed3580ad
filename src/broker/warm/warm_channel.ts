import { DEFAULT_HANDOFF_ACK_DEADLINE_MS } from "../../handoff/ack_registry.ts";
import type { HandoffToken } from "../../handoff/handoff_token.ts";
import { type WarmOffer, WarmOffers } from "../../handoff/warm_offers.ts";
import type { ControlConnection, DetachedConnection, PassOutcome } from "../../transport/transport.ts";
import { createFrameDecoder } from "../../wire/frame_decoder.ts";
import { DIRECT_EXTENSIONS, EXTENSION_REPEATABLE } from "../../wire/handoff_extension.ts";
import { encodeHandoffOffer } from "../../wire/handoff_frames.ts";
import type { Clock } from "../clock.ts";

/** Largest frame taken from a doorbell: an ACK with the longest detail a backend writes. */
const ACK_BYTES_MAX = 4_096;

/** How an offer on a warm channel ended. */
export type WarmEnding =
  | { readonly kind: "adopted" }
  /** The backend refused it, and gave the connection up before it said so. */
  | { readonly kind: "refused"; readonly detail: string }
  /**
   * Whether the backend has the connection is not known. Only the first offer that the end of a channel takes
   * along counts as a failure: many were under way, but one thing went wrong.
   */
  | { readonly kind: "lost"; readonly detail: string; readonly isCounted: boolean };

/** What a channel is made of. */
export interface WarmChannelParts {
  /** Carries tokens with descriptors, nothing else. */
  readonly passing: ControlConnection;
  /** Carries offers one way and ACKs the other. */
  readonly doorbell: ControlConnection;
  /** The broker's monotonic clock, in milliseconds. */
  readonly clock: Clock;
  /** Told how each offer ended, once. */
  readonly ended: (offer: WarmOffer, ending: WarmEnding) => void;
  /** Told that the channel is gone, once. */
  readonly closed: (detail: string) => void;
}

/** A connection to be offered. */
export interface WarmRequest {
  /** The client's connection; stays the caller's, who closes it at once: the backend has a copy (model rule 7). */
  readonly connection: DetachedConnection;
  /** The token in the HelloReply. */
  readonly token: HandoffToken;
  /** The connection id in the HelloReply. */
  readonly correlationId: bigint;
  /** The service the client asked for. */
  readonly serviceName: string;
  /** What the client sent behind its Hello. */
  readonly residue: Uint8Array;
  /** Whether what it sent, or sends first, may run twice. */
  readonly isRepeatable: boolean;
}

/**
 * Two connections to a backend that stay open: descriptors go on one, offers and ACKs on the other, so that the
 * backend's event loop is woken by the offer and finds the descriptor there already.
 *
 * The backend writes the ready event to the client itself. The broker keeps no copy of what it has passed:
 * whatever then becomes of the backend, the client sees the end of its connection, or its own deadline.
 */
export class WarmChannel {
  readonly #parts: WarmChannelParts;
  readonly #offers = new WarmOffers();
  #sweep: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** Starts to listen for ACKs. */
  constructor(parts: WarmChannelParts) {
    this.#parts = parts;
    void this.#readAcks();
    void this.#watch();
  }

  /** Whether an offer can be made now. */
  get canTake(): boolean {
    return !this.#isClosed && this.#offers.hasRoom;
  }

  /** Passes a connection and offers it; never waits. A failure that reached the backend ends the channel. */
  offer({ connection, token, correlationId, serviceName, residue, isRepeatable }: WarmRequest): PassOutcome {
    const { passing, doorbell, clock } = this.#parts;
    const tokenBytes = token.toBytes();
    const passed = passing.pass(connection, tokenBytes, (handleValue) =>
      encodeHandoffOffer({
        handleValue,
        token: tokenBytes,
        serviceName,
        correlationId,
        extensions: isRepeatable ? DIRECT_EXTENSIONS | EXTENSION_REPEATABLE : DIRECT_EXTENSIONS,
        residue,
      }), doorbell);
    if (passed.ok) {
      const startMs = clock();
      const deadlineMs = startMs + DEFAULT_HANDOFF_ACK_DEADLINE_MS;
      this.#offers.add({ correlationId, token: tokenBytes, startMs, deadlineMs });
      this.#sweep ??= setTimeout(() => this.#endIfOverdue(), DEFAULT_HANDOFF_ACK_DEADLINE_MS);
    } else if (passed.reachedBackend) this.close(passed.detail);
    return passed;
  }

  /** Ends the channel; offers under way end as lost. Idempotent. */
  close(detail: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#sweep);
    this.#parts.passing.close();
    this.#parts.doorbell.close();
    for (const [at, offer] of this.#offers.takeAll().entries()) {
      this.#parts.ended(offer, { kind: "lost", detail, isCounted: at === 0 });
    }
    this.#parts.closed(detail);
  }

  async #readAcks(): Promise<void> {
    const decoder = createFrameDecoder({ frameBytesMax: ACK_BYTES_MAX });
    try {
      for (;;) {
        const chunk = await this.#parts.doorbell.read();
        if (chunk === null) return this.close("the backend closed the channel");
        for (const body of decoder.push(chunk)) this.#settle(body);
      }
    } catch (error) {
      this.close((error as Error).message);
    }
  }

  /** Nothing comes on the other connection but its end. */
  async #watch(): Promise<void> {
    try {
      const chunk = await this.#parts.passing.read();
      this.close(
        chunk === null ? "the backend closed the channel" : "the backend wrote where nothing belongs",
      );
    } catch (error) {
      this.close((error as Error).message);
    }
  }

  #settle(body: Uint8Array): void {
    const ack = this.#offers.settle(body);
    if (ack.kind === "accepted") this.#parts.ended(ack.offer, { kind: "adopted" });
    else if (ack.kind === "rejected") this.#parts.ended(ack.offer, { kind: "refused", detail: ack.detail });
  }

  /** A backend that is silent for so long would let every client that follows wait for its own deadline. */
  #endIfOverdue(): void {
    this.#sweep = undefined;
    const oldestMs = this.#offers.oldestDeadlineMs;
    if (oldestMs === undefined || this.#isClosed) return;
    const restMs = oldestMs - this.#parts.clock();
    if (restMs <= 0) return this.close("no ACK before its deadline");
    this.#sweep = setTimeout(() => this.#endIfOverdue(), restMs);
  }
}
