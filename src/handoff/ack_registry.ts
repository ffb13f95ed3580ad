// This module has no I/O.
import { fallBack, type HandoffAttemptFailure, type HandoffFallbackDecision } from "./fallback_reason.ts";
import type { HandoffToken } from "./handoff_token.ts";
import type { HandoffTokenStore } from "./token_store.ts";

/** Wait for a backend's ACK: a backend that needs longer costs its client more than reconnecting. */
export const DEFAULT_HANDOFF_ACK_DEADLINE_MS = 5_000;
/** Entries at most: as many as there can be pending tokens. */
export const DEFAULT_PENDING_ACKS_MAX = 1024;

/** The backend a connection was offered to. */
export interface PendingHandoffBackend {
  /** The service's name. */
  readonly serviceName: string;
  /** The backend's process id; 0 when it is not known yet. */
  readonly backendPid: number;
}

/** Limits of a {@linkcode HandoffAckRegistry}; a zero counts as one. */
export interface HandoffAckRegistryConfig {
  /** Milliseconds a backend has for its ACK. @default {5000} */
  ackDeadlineMs?: number;
  /** Entries at once. @default {1024} */
  pendingAcksMax?: number;
}

/** Whether an ACK is now awaited. At the limit nothing is: hand nothing off, let the client reconnect. */
export type HandoffAckRegistration =
  | { kind: "registered"; deadlineMs: number }
  | { kind: "limit-reached"; pendingAcksMax: number };

/** An ACK that came in time. */
export interface AcknowledgedHandoff {
  /** Tells an ACK that came in time from the other outcomes. */
  readonly kind: "acknowledged";
  /** The offer's token; it is revoked by now. */
  readonly token: HandoffToken;
  /** Whom the connection was offered to. */
  readonly backend: PendingHandoffBackend;
  /** Milliseconds since the registration. */
  readonly waitedMs: number;
}

/**
 * An ACK that completes nothing, in the reference's words. Late, repeated and unknown ones are all
 * `TokenNotPending` once the entry is gone; only a late one is a failure to count.
 */
export type HandoffAckError =
  | { readonly kind: "TokenNotPending"; readonly attemptFailure?: undefined }
  | {
    readonly kind: "AckDeadlineExceeded";
    /** Whom the connection was offered to. */
    readonly backend: PendingHandoffBackend;
    /** When the ACK was due. */
    readonly deadlineMs: number;
    readonly attemptFailure: "BackendAckTimeout";
  };

/** What an ACK meant. */
export type HandoffAcknowledgement = AcknowledgedHandoff | HandoffAckError;

/** An offer that no ACK came for. */
export interface ExpiredHandoff {
  /** The offer's token; it is revoked by now. */
  readonly token: HandoffToken;
  /** Whom the connection was offered to. */
  readonly backend: PendingHandoffBackend;
  /** When the ACK was due. */
  readonly deadlineMs: number;
  /** What to record with the fallback policy. */
  readonly attemptFailure: HandoffAttemptFailure;
  /** What happens to the client. */
  readonly fallbackDecision: HandoffFallbackDecision;
}

interface Entry {
  readonly token: HandoffToken;
  readonly backend: PendingHandoffBackend;
  readonly registeredMs: number;
  readonly deadlineMs: number;
}

/**
 * The offers whose ACK is awaited (protocol 7.4). An entry leaves exactly once, and its token with it.
 *
 * All times are milliseconds of one monotonic clock.
 */
export class HandoffAckRegistry {
  readonly #pendingAcksMax: number;
  readonly #entries = new Map<string, Entry>();
  /** Milliseconds a backend has for its ACK. */
  readonly ackDeadlineMs: number;

  /**
   * Makes a registry that awaits nothing.
   *
   * @param config Limits.
   */
  constructor(config: HandoffAckRegistryConfig = {}) {
    this.ackDeadlineMs = Math.max(1, config.ackDeadlineMs ?? DEFAULT_HANDOFF_ACK_DEADLINE_MS);
    this.#pendingAcksMax = Math.max(1, config.pendingAcksMax ?? DEFAULT_PENDING_ACKS_MAX);
  }

  /** Awaited ACKs, overdue ones that nobody swept yet included. */
  get pendingLength(): number {
    return this.#entries.size;
  }

  /**
   * Awaits the ACK of an offer; a second registration of a token replaces the first.
   *
   * @param token The offer's token.
   * @param backend Whom it goes to.
   * @param nowMs The time; the deadline runs from here.
   * @returns The deadline, or that the registry is full.
   */
  register(token: HandoffToken, backend: PendingHandoffBackend, nowMs: number): HandoffAckRegistration {
    const key = token.toMapKey();
    this.#entries.delete(key);
    if (this.#entries.size >= this.#pendingAcksMax) {
      return { kind: "limit-reached", pendingAcksMax: this.#pendingAcksMax };
    }
    const deadlineMs = nowMs + this.ackDeadlineMs;
    this.#entries.set(key, { token, backend: { ...backend }, registeredMs: nowMs, deadlineMs });
    return { kind: "registered", deadlineMs };
  }

  /** The backend whose ACK for this token is awaited. */
  pendingBackend(token: HandoffToken): PendingHandoffBackend | undefined {
    return this.#entries.get(token.toMapKey())?.backend;
  }

  /** When the ACK for this token comes too late. */
  deadlineMsOf(token: HandoffToken): number | undefined {
    return this.#entries.get(token.toMapKey())?.deadlineMs;
  }

  /**
   * Takes an ACK that was seen.
   *
   * @param tokens The store the token is revoked from, in time or not.
   * @param token The token the ACK names.
   * @param atMs When it was seen; the deadline itself is too late.
   * @returns What the ACK meant.
   */
  acknowledge(tokens: HandoffTokenStore, token: HandoffToken, atMs: number): HandoffAcknowledgement {
    const entry = this.#take(tokens, token);
    if (entry === undefined) return { kind: "TokenNotPending" };
    const { backend, deadlineMs } = entry;
    if (!(atMs < deadlineMs)) {
      return { kind: "AckDeadlineExceeded", backend, deadlineMs, attemptFailure: "BackendAckTimeout" };
    }
    return {
      kind: "acknowledged",
      token: entry.token,
      backend,
      waitedMs: Math.max(0, atMs - entry.registeredMs),
    };
  }

  /**
   * Gives an offer up and revokes its token, which it does also without an entry.
   *
   * @param tokens The store the token is revoked from.
   * @param token The offer's token.
   * @returns The backend, if its ACK was awaited.
   */
  abandon(tokens: HandoffTokenStore, token: HandoffToken): PendingHandoffBackend | undefined {
    const entry = this.#take(tokens, token);
    if (entry === undefined) tokens.revoke(token);
    return entry?.backend;
  }

  /**
   * Gives up every offer whose deadline has come.
   *
   * @param tokens The store their tokens are revoked from.
   * @param nowMs The time.
   * @returns The offers given up, oldest first.
   */
  expireOverdue(tokens: HandoffTokenStore, nowMs: number): ExpiredHandoff[] {
    const expired: ExpiredHandoff[] = [];
    for (const { token, backend, deadlineMs } of this.#entries.values()) {
      if (nowMs < deadlineMs) break; // one deadline for all: in order of registration means in order of expiry
      this.#take(tokens, token);
      expired.push({
        token,
        backend,
        deadlineMs,
        attemptFailure: "BackendAckTimeout",
        fallbackDecision: fallBack("BackendAckTimeout"),
      });
    }
    return expired;
  }

  #take(tokens: HandoffTokenStore, token: HandoffToken): Entry | undefined {
    const key = token.toMapKey();
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    tokens.revoke(token);
    return entry;
  }
}
