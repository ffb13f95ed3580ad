// This module has no I/O.
import type { StartTimer } from "../timer.ts";

/** A broker ends an idle backend after its idle timeout: one that was not ended by twice that has lost its broker. */
const TIMEOUTS_WITHOUT_BROKER = 2;

/** Ends a launched backend that has had nothing to do for so long that its broker must be gone. */
export class IdleEnd {
  readonly #afterMs: number;
  readonly #end: () => void;
  readonly #startTimer: StartTimer;
  #cancel: (() => void) | undefined;
  #isOver = false;

  /**
   * Starts to wait, since a backend has nothing to do at first.
   *
   * @param idleTimeoutSecs After how long a broker would have ended it.
   * @param end Called once at most.
   */
  constructor(idleTimeoutSecs: number, end: () => void, startTimer: StartTimer) {
    this.#afterMs = Math.max(1, idleTimeoutSecs * 1000 * TIMEOUTS_WITHOUT_BROKER);
    this.#end = end;
    this.#startTimer = startTimer;
    this.changed(0);
  }

  /** Takes note of how many connections are open. */
  changed(connectionsOpen: number): void {
    if (this.#isOver) return;
    if (connectionsOpen > 0) {
      this.#cancel?.();
      this.#cancel = undefined;
      return;
    }
    this.#cancel ??= this.#startTimer(this.#afterMs, () => {
      this.stop();
      this.#end();
    });
  }

  /** Stops waiting for good. */
  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
