import type { StartTimer } from "../../src/timer.ts";

/** A clock and its timers, which go on only when the test says so. */
export class FakeTimer {
  nowMs = 0;
  readonly #waiting = new Set<{ atMs: number; act: () => void }>();

  readonly clock = (): number => this.nowMs;

  readonly startTimer: StartTimer = (delayMs, act) => {
    const timer = { atMs: this.nowMs + delayMs, act };
    this.#waiting.add(timer);
    return () => void this.#waiting.delete(timer);
  };

  /** Timers that were neither called off nor are over. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Lets time go by; timers act in order of their times, and what they led to is done before the next one. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const next = [...this.#waiting].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#waiting.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.act();
      await idleTurn();
    }
    this.nowMs = untilMs;
    await idleTurn();
  }
}

/** A turn of the event loop: every promise that can settle has settled by then. */
function idleTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
