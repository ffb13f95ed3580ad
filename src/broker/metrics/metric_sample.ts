// This module has no I/O.
import type { MetricFamily } from "./metric_family.ts";

/** One line of a metric. */
export interface MetricSample {
  /** The metric's name, behind it `_bucket`, `_count` or `_sum` for a histogram. */
  readonly name: string;
  /** In the order they are written; the values are not escaped yet. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** In the unit of the metric's name. */
  readonly value: number;
}

/** A metric with the samples it has now, those with the same label values next to each other. */
export interface MetricSource {
  /** The metric. */
  readonly family: MetricFamily;
  /** Its samples as they are now, in a new array. */
  samples(): MetricSample[];
}

/** Puts the names of a metric's labels to the values of a series. */
export function namedLabels(
  family: MetricFamily,
  values: readonly string[],
): [name: string, value: string][] {
  return family.labels.map((name, i) => [name, values[i]!]);
}
