import type { CancelSignal } from "../../cancel_signal.ts";
import { setImmediate, setTimeout } from "node:timers/promises";

/** Turns of the event loop before the first timer: what was sent together with the connect arrives in these. */
const TURNS = 4;
/** Waits of one millisecond after that: a peer that is scheduled late. */
const SHORT_WAITS = 46;
const SHORT_WAIT_MS = 1;
/** A peer that is silent for longer costs at most 200 wake-ups a second until its deadline. */
const LONG_WAIT_MS = 5;

/**
 * Waits before the n-th retry of a non-blocking receive that the runtime must not do itself: a
 * plain read would drop the descriptors that travel with the bytes.
 *
 * @throws The signal's reason.
 */
export async function retryTurn(attempt: number, signal: CancelSignal): Promise<void> {
  signal.throwIfAborted();
  if (attempt < TURNS) return await setImmediate();
  await setTimeout(attempt < TURNS + SHORT_WAITS ? SHORT_WAIT_MS : LONG_WAIT_MS);
  signal.throwIfAborted();
}
