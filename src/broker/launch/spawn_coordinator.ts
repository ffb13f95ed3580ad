// This module has no I/O.

/** Launches of one backend in a window: enough for a bad start, too few to keep a machine busy (protocol 6.10). */
export const SPAWN_ATTEMPTS_MAX = 3;
/** The window that launches are counted in. */
export const SPAWN_WINDOW_MS = 30_000;

/** What a coordinator is set to. */
export interface SpawnBudgetOptions {
  /** Launches of one key in a window, at least 1. @default {3} */
  readonly attemptsMax?: number;
  /** Length of a window, at least 1 ms. @default {30000} */
  readonly windowMs?: number;
}

/** Whether a launch may begin. */
export type SpawnDecision =
  | { readonly kind: "begun" }
  | { readonly kind: "in-flight" }
  /** The hint is at least 1 ms. */
  | { readonly kind: "exhausted"; readonly retryAfterMs: number };

/** What operators see of a key's budget. */
export interface SpawnBudget {
  /** Launches in this window, the one in flight included. */
  readonly attemptsUsed: number;
  /** Launches left in this window. */
  readonly remaining: number;
  /** Whether a launch is under way; meanwhile no other begins. */
  readonly inFlight: boolean;
  /** Milliseconds until the window ends; `undefined` while attempts remain. */
  readonly retryAfterMs: number | undefined;
}

interface Window {
  startMs: number;
  attempts: number;
  inFlight: boolean;
}

/** Lets one launch of a key run at a time, and only a few of them in a window (protocol 6.10). */
export class SpawnCoordinator {
  readonly #attemptsMax: number;
  readonly #windowMs: number;
  /** In order of `startMs`: what expires first stands first. */
  readonly #windows = new Map<string, Window>();

  /** Makes a coordinator that has counted nothing. */
  constructor({ attemptsMax = SPAWN_ATTEMPTS_MAX, windowMs = SPAWN_WINDOW_MS }: SpawnBudgetOptions = {}) {
    this.#attemptsMax = Math.max(1, attemptsMax);
    this.#windowMs = Math.max(1, windowMs);
  }

  /** Counts and marks a launch, if it may begin. */
  tryBegin(key: string, nowMs: number): SpawnDecision {
    this.#forgetExpired(nowMs);
    const window = this.#windows.get(key);
    if (window === undefined) {
      this.#windows.set(key, { startMs: nowMs, attempts: 1, inFlight: true });
      return { kind: "begun" };
    }
    if (window.inFlight) return { kind: "in-flight" };
    if (window.attempts >= this.#attemptsMax) {
      return { kind: "exhausted", retryAfterMs: this.#restMs(window, nowMs) };
    }
    window.attempts++;
    window.inFlight = true;
    return { kind: "begun" };
  }

  /** Ends a launch. A successful one gives the whole budget back. */
  finish(key: string, success: boolean): void {
    const window = this.#windows.get(key);
    if (window === undefined) return;
    if (success) this.#windows.delete(key);
    else window.inFlight = false;
  }

  /** A key's budget now; changes nothing. */
  snapshot(key: string, nowMs: number): SpawnBudget {
    const window = this.#windows.get(key);
    if (window === undefined || this.#isExpired(window, nowMs)) {
      return { attemptsUsed: 0, remaining: this.#attemptsMax, inFlight: false, retryAfterMs: undefined };
    }
    const remaining = this.#attemptsMax - window.attempts;
    const retryAfterMs = remaining === 0 ? this.#restMs(window, nowMs) : undefined;
    return { attemptsUsed: window.attempts, remaining, inFlight: window.inFlight, retryAfterMs };
  }

  /** The keys whose window runs. */
  keys(nowMs: number): string[] {
    return [...this.#windows].filter(([, window]) => !this.#isExpired(window, nowMs)).map(([key]) => key);
  }

  #isExpired(window: Window, nowMs: number): boolean {
    return nowMs - window.startMs >= this.#windowMs;
  }

  #restMs(window: Window, nowMs: number): number {
    return Math.max(1, Math.ceil(window.startMs + this.#windowMs - nowMs));
  }

  /** A client chooses the versions it asks for: what it asked for once must not stay for ever. */
  #forgetExpired(nowMs: number): void {
    for (const [key, window] of this.#windows) {
      if (!this.#isExpired(window, nowMs)) return;
      this.#windows.delete(key);
    }
  }
}
