// This module has no I/O.
import { fallBack, type HandoffAttemptFailure, type HandoffFallbackDecision } from "./fallback_reason.ts";

/** Failures of one backend in a window before its handoffs pause: each may cost a client its ready wait. */
export const DEFAULT_HANDOFF_FAILED_ATTEMPTS_PER_WINDOW = 8;
/** The window, as long as a token's life. */
export const DEFAULT_HANDOFF_FAILED_ATTEMPT_WINDOW_MS = 30_000;
/** Backends remembered: far above what one user runs; the oldest window is forgotten beyond it. */
export const DEFAULT_FALLBACK_KEYS_MAX = 1024;

/** Limits of a {@linkcode HandoffFallbackState}; a zero counts as one. */
export interface HandoffFallbackPolicy {
  /** Failures per backend and window. @default {8} */
  failedAttemptsPerWindowMax?: number;
  /** Length of the window in milliseconds. @default {30000} */
  failedAttemptWindowMs?: number;
  /** Backends with failures remembered at once. @default {1024} */
  backendKeysMax?: number;
}

/** What is known before an attempt. */
export interface HandoffAttemptInputs {
  /** The client announced handle passing in its Hello. */
  readonly clientSupportsHandoff: boolean;
  /** The service and this platform allow handoffs. */
  readonly servicePolicyEnabled: boolean;
  /** File descriptors are scarce. */
  readonly fdPressureDisabled: boolean;
  /** The backend was found running, so the broker has no handoff endpoint for it. */
  readonly backendAdoptedExisting: boolean;
}

/** Whether to try a handoff. */
export type HandoffAttemptDecision = { readonly kind: "attempt" } | HandoffFallbackDecision;

interface FailureWindow {
  readonly startedMs: number;
  failures: number;
}

/**
 * Decides whether a handoff is worth trying, and pauses it for backends that keep failing (protocol 7.5).
 *
 * Backends are told apart by a key the caller builds. All times are milliseconds of one monotonic clock.
 */
export class HandoffFallbackState {
  /** The limits in force. */
  readonly policy: Readonly<Required<HandoffFallbackPolicy>>;
  readonly #windows = new Map<string, FailureWindow>();
  #keysForgotten = 0;

  /**
   * Makes a state without failures.
   *
   * @param policy Limits.
   */
  constructor(policy: HandoffFallbackPolicy = {}) {
    const {
      failedAttemptsPerWindowMax = DEFAULT_HANDOFF_FAILED_ATTEMPTS_PER_WINDOW,
      failedAttemptWindowMs = DEFAULT_HANDOFF_FAILED_ATTEMPT_WINDOW_MS,
      backendKeysMax = DEFAULT_FALLBACK_KEYS_MAX,
    } = policy;
    this.policy = {
      failedAttemptsPerWindowMax: Math.max(1, failedAttemptsPerWindowMax),
      failedAttemptWindowMs: Math.max(1, failedAttemptWindowMs),
      backendKeysMax: Math.max(1, backendKeysMax),
    };
  }

  /** Backends with failures remembered now. */
  get backendKeys(): number {
    return this.#windows.size;
  }

  /** Open windows that were forgotten because too many backends failed at once. */
  get keysForgotten(): number {
    return this.#keysForgotten;
  }

  /**
   * Decides on one handoff; the first input that forbids it is the reason.
   *
   * @param backendKey The backend.
   * @param inputs What is known about client, service and machine.
   * @param nowMs The time.
   * @returns To attempt it, or why not.
   */
  shouldAttempt(backendKey: string, inputs: HandoffAttemptInputs, nowMs: number): HandoffAttemptDecision {
    if (!inputs.clientSupportsHandoff) return fallBack("ClientUnsupported");
    if (!inputs.servicePolicyEnabled) return fallBack("ServicePolicyDisabled");
    if (inputs.fdPressureDisabled) return fallBack("FdPressureDisabled");
    if (inputs.backendAdoptedExisting) return fallBack("AdoptedBackend");
    const window = this.#openWindow(backendKey, nowMs);
    if (window === undefined || window.failures < this.policy.failedAttemptsPerWindowMax) {
      return { kind: "attempt" };
    }
    const elapsedMs = Math.max(0, nowMs - window.startedMs);
    return fallBack("FailedAttemptRateLimited", this.policy.failedAttemptWindowMs - elapsedMs);
  }

  /**
   * Counts a failure, up to the limit, in the backend's window or a new one.
   *
   * @param backendKey The backend.
   * @param failure What happened.
   * @param nowMs The time.
   * @returns The decision for the client of the failed attempt.
   */
  recordFailedAttempt(
    backendKey: string,
    failure: HandoffAttemptFailure,
    nowMs: number,
  ): HandoffFallbackDecision {
    const window = this.#openWindow(backendKey, nowMs) ?? this.#newWindow(backendKey, nowMs);
    window.failures = Math.min(window.failures + 1, this.policy.failedAttemptsPerWindowMax);
    return fallBack(failure);
  }

  /**
   * Forgets a backend's failures after a handoff that worked.
   *
   * @param backendKey The backend.
   */
  recordSuccess(backendKey: string): void {
    this.#windows.delete(backendKey);
  }

  /**
   * The failures that count now.
   *
   * @param backendKey The backend.
   * @param nowMs The time.
   * @returns From 0 to the limit.
   */
  failedAttemptCount(backendKey: string, nowMs: number): number {
    return this.#openWindow(backendKey, nowMs)?.failures ?? 0;
  }

  #openWindow(backendKey: string, nowMs: number): FailureWindow | undefined {
    const window = this.#windows.get(backendKey);
    if (window === undefined || nowMs - window.startedMs < this.policy.failedAttemptWindowMs) return window;
    this.#windows.delete(backendKey);
    return undefined;
  }

  #newWindow(backendKey: string, nowMs: number): FailureWindow {
    for (const [key, window] of this.#windows) { // oldest first: windows enter the map when they open
      const isOver = nowMs - window.startedMs >= this.policy.failedAttemptWindowMs;
      if (!isOver && this.#windows.size < this.policy.backendKeysMax) break;
      if (!isOver) this.#keysForgotten++;
      this.#windows.delete(key);
    }
    const window = { startedMs: nowMs, failures: 0 };
    this.#windows.set(backendKey, window);
    return window;
  }
}
