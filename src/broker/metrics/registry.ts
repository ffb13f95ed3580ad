// This module has no I/O.
import { Counter } from "./counter.ts";
import { Gauge } from "./gauge.ts";
import { Histogram } from "./histogram.ts";
import {
  ACTIVE_BACKENDS,
  HANDOFF_ATTEMPTS_TOTAL,
  HANDOFF_DURATION_SECONDS,
  HANDOFF_OUTCOMES_TOTAL,
  HELLO_DURATION_SECONDS,
  HELLO_TOTAL,
  LIMIT_HITS_TOTAL,
  REFUSALS_TOTAL,
  SPAWN_ATTEMPTS_TOTAL,
  SPAWN_BUDGET_REMAINING,
} from "./metric_family.ts";

/**
 * Buckets of Hello durations: a Hello takes some 20 to 200 us, up to a few ms under load, and up to a second and
 * more when it launches a backend.
 */
export const HELLO_DURATION_BOUNDS_SECONDS: readonly number[] = [
  50e-6,
  100e-6,
  250e-6,
  500e-6,
  1e-3,
  2.5e-3,
  5e-3,
  10e-3,
  25e-3,
  50e-3,
  100e-3,
  250e-3,
  500e-3,
  1,
];

/** Buckets of handoff durations: some 100 to 500 us, and up to the 5 s that a backend has for its answer. */
export const HANDOFF_DURATION_BOUNDS_SECONDS: readonly number[] = [
  100e-6,
  250e-6,
  500e-6,
  1e-3,
  2.5e-3,
  5e-3,
  10e-3,
  50e-3,
  250e-3,
  1,
  5,
];

/**
 * The labelled metrics of one broker (protocol 6.12).
 *
 * Label with names that were checked; what a client may make up is better given as `other`, or it uses up the
 * places of real ones (see `label_limits.ts`).
 */
export class MetricRegistry {
  /** Hellos answered, by service, version and outcome. */
  readonly helloTotal: Counter<"service" | "version" | "outcome"> = new Counter(HELLO_TOTAL);

  /** Seconds from a Hello's first byte to its answer, by service. */
  readonly helloDurationSeconds: Histogram<"service"> = new Histogram(
    HELLO_DURATION_SECONDS,
    HELLO_DURATION_BOUNDS_SECONDS,
  );

  /** Backends that run, by service. Services beyond the limit are added up. */
  readonly activeBackends: Gauge<"service"> = new Gauge(ACTIVE_BACKENDS, (a, b) => a + b);

  /** Launches of backends, by service, version and outcome. */
  readonly spawnAttemptsTotal: Counter<"service" | "version" | "outcome"> = new Counter(SPAWN_ATTEMPTS_TOTAL);

  /** Launches left in the running window, by service and version. Of those beyond the limit the least is shown. */
  readonly spawnBudgetRemaining: Gauge<"service" | "version"> = new Gauge(SPAWN_BUDGET_REMAINING, Math.min);

  /** Handoffs that a client was told to wait for. */
  readonly handoffAttemptsTotal: Counter<never> = new Counter(HANDOFF_ATTEMPTS_TOTAL);

  /** How they ended, by stage and reason. */
  readonly handoffOutcomesTotal: Counter<"stage" | "reason"> = new Counter(HANDOFF_OUTCOMES_TOTAL);

  /** Seconds until they ended. */
  readonly handoffDurationSeconds: Histogram<never> = new Histogram(
    HANDOFF_DURATION_SECONDS,
    HANDOFF_DURATION_BOUNDS_SECONDS,
  );

  /** Refusals, by code. */
  readonly refusalsTotal: Counter<"code"> = new Counter(REFUSALS_TOTAL);

  /** What met a limit, by limit. */
  readonly limitHitsTotal: Counter<"limit"> = new Counter(LIMIT_HITS_TOTAL);
}
