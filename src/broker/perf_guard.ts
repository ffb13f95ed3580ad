// This module has no I/O.

/** Samples without which a P99 means nothing: a hundred of them lie above it (protocol 11.3). */
export const HELLO_SAMPLES_MIN = 10_000;
/** Microseconds that half of all Hellos may take at most, from the connect to the reply. */
export const HELLO_P50_MAX_US = 200;
/** Microseconds that 99 of 100 Hellos may take at most. */
export const HELLO_P99_MAX_US = 1_000;
/** Hellos before the first one that is measured. */
export const HELLO_WARMUPS = 256;

/** What a set of Hellos took; percentiles by nearest rank. */
export interface HelloLatencySummary {
  /** How many samples there are; at least 1. */
  readonly samples: number;
  /** Microseconds. */
  readonly p50Us: number;
  /** Microseconds. */
  readonly p99Us: number;
}

/** Why Hellos are not shown to be within their budget; the reference's variant names. */
export type HelloPerfError =
  | { readonly kind: "EmptySamples" }
  | { readonly kind: "TooFewSamples"; readonly required: number; readonly actual: number }
  | { readonly kind: "P50Exceeded" | "P99Exceeded"; readonly budgetUs: number; readonly actualUs: number };

/** The outcome of holding Hellos against their budget; what was measured is told as well when it is over. */
export type HelloPerfVerdict =
  | { readonly ok: true; readonly summary: HelloLatencySummary }
  | { readonly ok: false; readonly error: HelloPerfError; readonly summary: HelloLatencySummary | undefined };

/**
 * Reduces the latencies of Hellos to P50 and P99 by nearest rank.
 *
 * @param samplesUs Microseconds in any order; not changed.
 * @returns The summary, or nothing without samples.
 * @throws {RangeError} When a sample is not a finite number: it has no rank.
 */
export function summarizeHelloLatencies(samplesUs: ArrayLike<number>): HelloLatencySummary | undefined {
  if (samplesUs.length === 0) return undefined;
  const sorted = Float64Array.from(samplesUs).sort();
  // Sorting puts -Infinity first, and Infinity and NaN last.
  for (const sample of [sorted[0]!, sorted.at(-1)!]) {
    if (!Number.isFinite(sample)) {
      throw new RangeError(`Cannot rank a latency of ${sample}: want a finite number`);
    }
  }
  return { samples: sorted.length, p50Us: nearestRank(sorted, 50), p99Us: nearestRank(sorted, 99) };
}

/**
 * Holds Hellos against their budget (protocol 11.3).
 *
 * @param samplesUs Microseconds in any order; not changed.
 * @returns The summary when the budget is kept, or the first thing that is wrong.
 * @throws {RangeError} When a sample is not a finite number.
 */
export function checkHelloBudget(samplesUs: ArrayLike<number>): HelloPerfVerdict {
  const summary = summarizeHelloLatencies(samplesUs);
  const error = summary === undefined ? { kind: "EmptySamples" } as const : faultOf(summary);
  if (error !== undefined) return { ok: false, error, summary };
  return { ok: true, summary: summary! };
}

/**
 * Says a budget error in words.
 *
 * @param error The error.
 * @returns One sentence without a final period.
 */
export function helloPerfErrorText(error: HelloPerfError): string {
  switch (error.kind) {
    case "EmptySamples":
      return "No Hello samples to judge";
    case "TooFewSamples":
      return `${error.actual} Hello samples are too few, at least ${error.required} wanted`;
    case "P50Exceeded":
    case "P99Exceeded":
      return `Hello ${error.kind.slice(0, 3)} of ${
        rounded(error.actualUs)
      } us is over its budget of ${error.budgetUs} us`;
  }
}

function faultOf({ samples, p50Us, p99Us }: HelloLatencySummary): HelloPerfError | undefined {
  if (samples < HELLO_SAMPLES_MIN) {
    return { kind: "TooFewSamples", required: HELLO_SAMPLES_MIN, actual: samples };
  }
  if (p50Us > HELLO_P50_MAX_US) {
    return { kind: "P50Exceeded", budgetUs: HELLO_P50_MAX_US, actualUs: p50Us };
  }
  if (p99Us > HELLO_P99_MAX_US) {
    return { kind: "P99Exceeded", budgetUs: HELLO_P99_MAX_US, actualUs: p99Us };
  }
  return undefined;
}

function rounded(us: number): number {
  return Math.round(us * 10) / 10;
}

function nearestRank(sorted: Float64Array, percentile: number): number {
  return sorted[Math.ceil((sorted.length * percentile) / 100) - 1]!;
}
