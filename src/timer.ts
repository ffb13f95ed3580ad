// This module has no I/O.

/** Calls an act once after so many milliseconds, unless what it returns is called before. */
export type StartTimer = (delayMs: number, act: () => void) => () => void;
