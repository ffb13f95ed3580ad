// This module has no I/O.
import { Counter } from "./counter.ts";
import { Gauge } from "./gauge.ts";
import { Histogram } from "./histogram.ts";
import {
  ACTIVE_BACKENDS,
  HELLO_DURATION_SECONDS,
  HELLO_TOTAL,
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
}
