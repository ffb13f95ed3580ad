// This module has no I/O.
import { fallBack, type HandoffFallbackDecision } from "./fallback_reason.ts";

/** Handoffs that may wait for a control connection: each holds a client's connection open. */
export const DEFAULT_PENDING_HANDOFFS_MAX = 64;
/** How long one may wait: beyond this, reconnecting would have been faster. */
export const DEFAULT_PENDING_HANDOFF_TTL_MS = 100;

/** Limits of a {@linkcode PendingHandoffQueue}; a zero counts as one. */
export interface PendingHandoffQueueConfig {
  /** Handoffs that may wait at once. @default {64} */
  pendingHandoffsMax?: number;
  /** Milliseconds a handoff may wait. @default {100} */
  pendingTtlMs?: number;
}

/** What became of a handoff that was to wait, and the ones whose wait ended meanwhile. */
export interface PendingHandoffAdmission<Handoff> {
  /** Waiting, or to fall back because the queue is full. */
  readonly outcome: { readonly kind: "queued" } | HandoffFallbackDecision;
  /** Handoffs whose time is over, oldest first; they are the caller's again, to fall back. */
  readonly expired: readonly Handoff[];
}

/** The next handoff, and the ones whose wait ended meanwhile. */
export interface PendingHandoffTurn<Handoff> {
  /** The oldest handoff whose time is not over; it is the caller's again. */
  readonly next: Handoff | undefined;
  /** Handoffs whose time is over, oldest first; they are the caller's again, to fall back. */
  readonly expired: readonly Handoff[];
}

/**
 * Handoffs that wait for their turn, first in first out, each for a short time only (protocol 7.5).
 *
 * The queue owns what it holds and always hands it back. All times are milliseconds of one monotonic clock.
 */
export class PendingHandoffQueue<Handoff> {
  readonly #pendingHandoffsMax: number;
  readonly #pendingTtlMs: number;
  readonly #waiting: { readonly handoff: Handoff; readonly expiryMs: number }[] = [];

  /**
   * Makes an empty queue.
   *
   * @param config Limits.
   */
  constructor(config: PendingHandoffQueueConfig = {}) {
    this.#pendingHandoffsMax = Math.max(1, config.pendingHandoffsMax ?? DEFAULT_PENDING_HANDOFFS_MAX);
    this.#pendingTtlMs = Math.max(1, config.pendingTtlMs ?? DEFAULT_PENDING_HANDOFF_TTL_MS);
  }

  /** Handoffs in the queue, overdue ones that nobody took out yet included. */
  get pendingLength(): number {
    return this.#waiting.length;
  }

  /** When the first of the waiting handoffs has waited long enough. */
  get nextExpiryMs(): number | undefined {
    return this.#waiting[0]?.expiryMs;
  }

  /**
   * Lets a handoff wait, unless the queue is full even without the overdue ones.
   *
   * @param handoff What waits; the queue's own from here if it says "queued".
   * @param nowMs The time.
   * @returns What became of it.
   */
  enqueue(handoff: Handoff, nowMs: number): PendingHandoffAdmission<Handoff> {
    const expired = this.expireOverdue(nowMs);
    if (this.#waiting.length >= this.#pendingHandoffsMax) {
      return { outcome: fallBack("FdPressureDisabled"), expired };
    }
    this.#waiting.push({ handoff, expiryMs: nowMs + this.#pendingTtlMs });
    return { outcome: { kind: "queued" }, expired };
  }

  /**
   * Takes the oldest handoff whose time is not over.
   *
   * @param nowMs The time.
   * @returns It, and the overdue ones.
   */
  dequeue(nowMs: number): PendingHandoffTurn<Handoff> {
    const expired = this.expireOverdue(nowMs);
    return { next: this.#waiting.shift()?.handoff, expired };
  }

  /**
   * Takes every handoff whose time is over.
   *
   * @param nowMs The time; a handoff's expiry itself is over.
   * @returns Those handoffs, oldest first.
   */
  expireOverdue(nowMs: number): Handoff[] {
    const firstFresh = this.#waiting.findIndex(({ expiryMs }) => nowMs < expiryMs);
    const overdue = firstFresh === -1 ? this.#waiting.length : firstFresh;
    return this.#waiting.splice(0, overdue).map(({ handoff }) => handoff);
  }

  /**
   * Takes everything, for the end of the control connection.
   *
   * @returns What waited, oldest first.
   */
  drain(): Handoff[] {
    return this.#waiting.splice(0).map(({ handoff }) => handoff);
  }
}
