// This module has no I/O.

/** Hellos a process may send in a window: far above any tool, far below what would starve the others. */
export const HELLO_RATE_MAX = 256;
/** What a Hello above it is refused with (protocol 6.8). */
export const HELLO_RATE_REASON = "Hello rate limit exceeded";
/** The window the rate is counted in. */
export const HELLO_RATE_WINDOW_MS = 1_000;
/** Processes that are counted at once: every one of them has a pid, and pid_max is rarely above this. */
const PROCESSES_MAX = 32_768;

interface Window {
  startMs: number;
  hellos: number;
}

/** What the limiter is set to. */
export interface HelloRateOptions {
  /** Hellos per window and process; 0 turns the limit off. @default {256} */
  readonly hellosMax?: number;
  /** Length of the window, at least 1 ms. @default {1000} */
  readonly windowMs?: number;
}

/** Counts Hellos per verified process in fixed windows that start with its first Hello (protocol 6.8). */
export class HelloRateLimiter {
  readonly #hellosMax: number;
  readonly #windowMs: number;
  /** In order of `startMs`: what expires first stands first. */
  readonly #windows = new Map<number, Window>();

  /** Makes a limiter that has counted nothing. */
  constructor(options: HelloRateOptions = {}) {
    this.#hellosMax = options.hellosMax ?? HELLO_RATE_MAX;
    this.#windowMs = Math.max(1, options.windowMs ?? HELLO_RATE_WINDOW_MS);
  }

  /**
   * Counts one Hello.
   *
   * @param pid The process by the kernel's word; 0 (unknown) is exempt.
   * @returns Milliseconds until the window ends when the process is over its rate, else `undefined`.
   */
  count(pid: number, nowMs: number): number | undefined {
    if (this.#hellosMax === 0 || pid === 0) return undefined;
    const window = this.#windows.get(pid);
    if (window === undefined || nowMs - window.startMs >= this.#windowMs) {
      this.#open(pid, nowMs);
      return undefined;
    }
    if (window.hellos < this.#hellosMax) {
      window.hellos++;
      return undefined;
    }
    return Math.max(1, Math.ceil(window.startMs + this.#windowMs - nowMs));
  }

  /** Processes that are counted now. */
  get processes(): number {
    return this.#windows.size;
  }

  #open(pid: number, nowMs: number): void {
    this.#windows.delete(pid);
    for (const [oldest, window] of this.#windows) {
      if (nowMs - window.startMs < this.#windowMs && this.#windows.size < PROCESSES_MAX) break;
      this.#windows.delete(oldest);
    }
    this.#windows.set(pid, { startMs: nowMs, hellos: 1 });
  }
}
