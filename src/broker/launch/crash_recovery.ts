// This module has no I/O.

/** Milliseconds before a backend that ended at its start is started again (protocol 6.14). */
export const CRASH_RETRY_AFTER_MS = 250;
/** How long a first crash is remembered: within it a second one is believed to be no accident. */
export const CRASH_WINDOW_MS = 30_000;

/** What a recovery is set to. */
export interface CrashRecoveryOptions {
  /** Milliseconds before the one retry, at least 1. @default {250} */
  readonly retryAfterMs?: number;
  /** Length of a window, at least 1 ms. @default {30000} */
  readonly windowMs?: number;
}

/** What to do about a backend that has crashed. */
export type CrashDecision =
  /** Start it again, after so many milliseconds. */
  | { readonly kind: "retry"; readonly attempt: 1; readonly afterMs: number }
  /** Say that it is not available; the hint is the rest of the window, at least 1 ms. */
  | { readonly kind: "refuse"; readonly retryAfterMs: number };

/** Gives a backend that crashes one retry in a window (protocol 6.14). */
export class CrashRecovery {
  readonly #retryAfterMs: number;
  readonly #windowMs: number;
  /** When the first crash of each key was, in that order: what expires first stands first. */
  readonly #windows = new Map<string, number>();

  /** Makes a recovery that has seen no crash. */
  constructor(
    { retryAfterMs = CRASH_RETRY_AFTER_MS, windowMs = CRASH_WINDOW_MS }: CrashRecoveryOptions = {},
  ) {
    this.#retryAfterMs = Math.max(1, retryAfterMs);
    this.#windowMs = Math.max(1, windowMs);
  }

  /** Notes a crash and decides on it. */
  recordCrash(key: string, nowMs: number): CrashDecision {
    this.#forgetExpired(nowMs);
    const startMs = this.#windows.get(key);
    if (startMs !== undefined) {
      return { kind: "refuse", retryAfterMs: Math.max(1, Math.ceil(startMs + this.#windowMs - nowMs)) };
    }
    this.#windows.set(key, nowMs);
    return { kind: "retry", attempt: 1, afterMs: this.#retryAfterMs };
  }

  /** Forgets the crashes of a backend that serves. */
  recordSuccess(key: string): void {
    this.#windows.delete(key);
  }

  /** A client chooses the versions it asks for: what crashed once must not stay for ever. */
  #forgetExpired(nowMs: number): void {
    for (const [key, startMs] of this.#windows) {
      if (nowMs - startMs < this.#windowMs) return;
      this.#windows.delete(key);
    }
  }
}
