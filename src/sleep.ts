import type { CancelSignal } from "./cancel_signal.ts";

/**
 * Waits, or rejects with the signal's reason as soon as that fires.
 *
 * @param until Ends the wait early when it settles; does not reject.
 */
export function sleep(sleepMs: number, signal: CancelSignal, until?: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      settle();
    };
    const abort = () => finish(() => reject(signal.reason));
    const timer = setTimeout(() => finish(resolve), sleepMs);
    signal.addEventListener("abort", abort, { once: true });
    void until?.then(() => finish(resolve));
    if (signal.aborted) abort();
  });
}
