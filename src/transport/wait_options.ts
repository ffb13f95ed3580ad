// This module has no I/O.
import type { CancelSignal } from "../cancel_signal.ts";

/** How long to wait for another process, and what may end the wait earlier. */
export interface WaitOptions {
  /** Milliseconds until the wait is given up. */
  readonly deadlineMs: number;
  /** Ends the wait early, with its reason. */
  readonly signal?: CancelSignal | undefined;
}
