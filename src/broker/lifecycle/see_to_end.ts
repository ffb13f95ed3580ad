// This module has no I/O.
import type { CancelSignal } from "../../cancel_signal.ts";
import type { StartTimer } from "../../timer.ts";

/** Milliseconds an idle backend has to end by itself after it said that it would. */
export const END_BY_ITSELF_MS = 10_000;
/** Milliseconds it has to end after SIGTERM. */
export const END_AFTER_SIGTERM_MS = 5_000;
/** Milliseconds between two looks at whether it has ended. */
const LOOK_EVERY_MS = 100;

/** What seeing to a process's end needs. */
export interface SeeToEndParts {
  /** Whether it still is the process that it was: its number was not given to another one. */
  readonly isAlive: () => boolean;
  /** Sends it a signal; called only right after `isAlive` has said so. */
  readonly kill: (signal: "SIGTERM" | "SIGKILL") => void;
  /** Waits. */
  readonly startTimer: StartTimer;
  /** Gives it up: the process is left as it is. */
  readonly signal: CancelSignal;
}

/** Waits for the end of a process that has no clients and wants to end, and helps it on after a while. */
export async function seeToEnd(parts: SeeToEndParts): Promise<void> {
  if (await hasEndedWithin(parts, END_BY_ITSELF_MS)) return;
  parts.kill("SIGTERM");
  if (await hasEndedWithin(parts, END_AFTER_SIGTERM_MS)) return;
  parts.kill("SIGKILL");
}

/** @returns Whether nothing is left to do: it has ended, or is given up. */
async function hasEndedWithin(
  { isAlive, startTimer, signal }: SeeToEndParts,
  limitMs: number,
): Promise<boolean> {
  for (let waitedMs = 0; !signal.aborted && isAlive(); waitedMs += LOOK_EVERY_MS) {
    if (waitedMs >= limitMs) return false;
    await new Promise<void>((resolve) => startTimer(LOOK_EVERY_MS, resolve));
  }
  return true;
}
