// This module has no I/O.

/** Milliseconds of one monotonic clock, with fractions. */
export type Clock = () => number;
