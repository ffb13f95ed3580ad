// This module has no I/O.
import { percentile } from "./percentile.ts";

/** Who is measured: which broker and backend, and by which client. */
export interface Subject {
  /** What broker and backend run in; `c` for the floors. */
  readonly runtime: "deno" | "bun" | "node" | "rust" | "c";
  /** The version of it. */
  readonly version: string;
  readonly peer: "ours" | "rust";
  /** `own` is a client of the same runtime. */
  readonly client: "own" | "c" | "rust";
}

/** One line of the result. Times in microseconds; `null` where only a rate is known. */
export interface Measurement extends Subject {
  readonly case: string;
  /** Cores that all processes of the measurement share. */
  readonly cores: number;
  readonly clients: number;
  readonly n: number;
  readonly p50_us: number | null;
  readonly p95_us: number | null;
  readonly p99_us: number | null;
  readonly per_s: number | null;
  /** The runtime in whose run, interleaved with it, this was measured. */
  readonly beside: string;
  /** Milliseconds between two operations; absent back to back. */
  readonly gap_ms?: number;
  /** Handoffs that became reconnects; absent when none did. */
  readonly fallbacks?: number;
  /** Resident memory of the broker. */
  readonly rss_kib?: number;
  /** Open descriptors of the broker. */
  readonly fds?: number;
}

/** What a measurement is of. */
export type MeasurementKey =
  & Subject
  & Pick<Measurement, "case" | "cores" | "clients" | "beside" | "gap_ms" | "rss_kib" | "fds">;

/** A measurement without samples. */
export function figure(key: MeasurementKey, n: number, perSecond: number | null): Measurement {
  return { ...ordered(key), n, p50_us: null, p95_us: null, p99_us: null, per_s: perSecond, ...extra(key) };
}

/** A measurement of sorted samples, in microseconds. */
export function summarize(
  key: MeasurementKey,
  sorted: Float64Array,
  elapsedUs: number,
  fallbacks: number,
): Measurement {
  return {
    ...ordered(key),
    n: sorted.length,
    p50_us: rounded(percentile(sorted, 50)),
    p95_us: rounded(percentile(sorted, 95)),
    p99_us: rounded(percentile(sorted, 99)),
    per_s: Math.round(sorted.length / elapsedUs * 1e6),
    ...extra(key),
    ...(fallbacks === 0 ? {} : { fallbacks }),
  };
}

/** The version and the client stand behind the figures, where they do not hide them. */
function ordered({ case: name, runtime, peer, cores, clients, client, version, beside }: MeasurementKey) {
  return { case: name, runtime, peer, cores, clients, client, version, beside };
}

function extra({ gap_ms, rss_kib, fds }: MeasurementKey): Pick<Measurement, "gap_ms" | "rss_kib" | "fds"> {
  return {
    ...(gap_ms === undefined ? {} : { gap_ms }),
    ...(rss_kib === undefined ? {} : { rss_kib }),
    ...(fds === undefined ? {} : { fds }),
  };
}

function rounded(us: number): number {
  return Math.round(us * 100) / 100;
}
