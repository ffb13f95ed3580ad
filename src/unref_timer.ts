import type { StartTimer } from "./timer.ts";

/** What the runtimes' timers take; a longer wait would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** A timer that does not keep the process alive. Waits of more than 24 days are cut to that. */
export const startUnrefTimer: StartTimer = (delayMs, act) => {
  const timer = setTimeout(act, Math.min(delayMs, DELAY_MS_MAX));
  timer.unref();
  return () => clearTimeout(timer);
};
