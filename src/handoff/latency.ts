// This module has no I/O.

/** The two figures a set of samples is judged by, in the unit of the samples. */
export interface HandoffLatencySummary {
  /** How many samples there are; at least 1. */
  readonly samples: number;
  /** What half of them do not exceed, by nearest rank. */
  readonly p50: number;
  /** What 99 of 100 of them do not exceed, by nearest rank. */
  readonly p99: number;
}

/** Both routes side by side; the handoff is strictly faster at both percentiles. */
export interface HandoffLatencyComparison {
  /** Of the handoff. */
  readonly handoff: HandoffLatencySummary;
  /** Of reconnecting. */
  readonly fallback: HandoffLatencySummary;
  /** How much faster the handoff is at P50; above 0. */
  readonly p50Savings: number;
  /** How much faster the handoff is at P99; above 0. */
  readonly p99Savings: number;
}

/** Why the handoff is not proven faster; the reference's variant names (protocol 7.11). */
export type HandoffLatencyError =
  | { readonly kind: "EmptyHandoffSamples" }
  | { readonly kind: "EmptyFallbackSamples" }
  | { readonly kind: "P50NotFaster" | "P99NotFaster"; readonly handoff: number; readonly fallback: number };

/** The outcome of comparing two sets of samples. */
export type HandoffLatencyVerdict =
  | { readonly ok: true; readonly comparison: HandoffLatencyComparison }
  | { readonly ok: false; readonly error: HandoffLatencyError };

/**
 * Measures an operation several times, one run after the other.
 *
 * @param warmupRuns Runs whose samples are thrown away.
 * @param iterations Runs whose samples are kept.
 * @param measure Runs the operation once and returns how long it took, in any one unit.
 * @returns The kept samples in order.
 */
export async function collectLatencySamples(
  warmupRuns: number,
  iterations: number,
  measure: () => number | Promise<number>,
): Promise<number[]> {
  const samples: number[] = [];
  for (let run = 0; run < warmupRuns + iterations; run++) {
    const sample = await measure();
    if (run >= warmupRuns) samples.push(sample);
  }
  return samples;
}

/**
 * Reduces samples to P50 and P99 by nearest rank.
 *
 * @param samples Durations of one unit in any order; not changed.
 * @returns The summary, or nothing without samples.
 * @throws {RangeError} When a sample is not a finite number: it has no rank.
 */
export function summarizeLatencySamples(samples: readonly number[]): HandoffLatencySummary | undefined {
  if (samples.length === 0) return undefined;
  const odd = samples.find((sample) => !Number.isFinite(sample));
  if (odd !== undefined) throw new RangeError(`Cannot rank a latency of ${odd}: want a finite number`);
  const sorted = [...samples].sort((a, b) => a - b);
  return { samples: sorted.length, p50: nearestRank(sorted, 50), p99: nearestRank(sorted, 99) };
}

/**
 * Compares the handoff with reconnecting: it has to be strictly faster at P50 and at P99 (protocol 7.11).
 *
 * @param handoffSamples Durations over the handoff.
 * @param fallbackSamples Durations over reconnecting, in the same unit.
 * @returns The comparison, or the first thing that is not proven.
 * @throws {RangeError} When a sample is not a finite number.
 */
export function compareHandoffLatency(
  handoffSamples: readonly number[],
  fallbackSamples: readonly number[],
): HandoffLatencyVerdict {
  const handoff = summarizeLatencySamples(handoffSamples);
  if (handoff === undefined) return { ok: false, error: { kind: "EmptyHandoffSamples" } };
  const fallback = summarizeLatencySamples(fallbackSamples);
  if (fallback === undefined) return { ok: false, error: { kind: "EmptyFallbackSamples" } };
  const p50Savings = fallback.p50 - handoff.p50;
  const p99Savings = fallback.p99 - handoff.p99;
  if (p50Savings <= 0) {
    return { ok: false, error: { kind: "P50NotFaster", handoff: handoff.p50, fallback: fallback.p50 } };
  }
  if (p99Savings <= 0) {
    return { ok: false, error: { kind: "P99NotFaster", handoff: handoff.p99, fallback: fallback.p99 } };
  }
  return { ok: true, comparison: { handoff, fallback, p50Savings, p99Savings } };
}

/**
 * Says a latency error in words.
 *
 * @param error The error.
 * @returns One sentence without a final period.
 */
export function handoffLatencyErrorText(error: HandoffLatencyError): string {
  switch (error.kind) {
    case "EmptyHandoffSamples":
      return "No handoff samples to compare";
    case "EmptyFallbackSamples":
      return "No reconnect samples to compare";
    case "P50NotFaster":
    case "P99NotFaster":
      return `Handoff ${
        error.kind.slice(0, 3)
      } of ${error.handoff} is not below the reconnect's ${error.fallback}`;
  }
}

function nearestRank(sorted: readonly number[], percentile: number): number {
  return sorted[Math.ceil((sorted.length * percentile) / 100) - 1]!;
}
