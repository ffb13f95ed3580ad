// This module has no I/O.

/** The nearest-rank percentile of sorted samples: a sample that was seen, never one in between. */
export function percentile(sorted: Float64Array, percent: number): number {
  const found = sorted[Math.max(0, Math.ceil(sorted.length * percent / 100) - 1)];
  if (found === undefined) throw new RangeError("Cannot take a percentile of no samples");
  return found;
}
