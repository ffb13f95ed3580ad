// This module has no I/O.
import { LabelledSeries, type LabelValues } from "./labelled_series.ts";
import type { MetricFamily, MetricLabel } from "./metric_family.ts";
import { type MetricSample, type MetricSource, namedLabels } from "./metric_sample.ts";

/** A number of events that only grows. */
export class Counter<Label extends MetricLabel> implements MetricSource {
  /** What is counted. */
  readonly family: MetricFamily<Label>;
  readonly #series: LabelledSeries<Label, { count: number }>;

  /**
   * Makes a counter without series.
   *
   * @param family What is counted.
   */
  constructor(family: MetricFamily<Label>) {
    this.family = family;
    this.#series = new LabelledSeries(family, () => ({ count: 0 }));
  }

  /**
   * Counts events.
   *
   * @param labels What they are counted by.
   * @param by How many, a whole number from 0.
   * @throws {RangeError} When `by` would make the counter shrink or is not whole.
   */
  increment(labels: LabelValues<Label>, by = 1): void {
    if (!Number.isSafeInteger(by) || by < 0) {
      throw new RangeError(`Cannot add ${by} to counter "${this.family.name}": want a whole number from 0`);
    }
    const state = this.#series.at(labels);
    // Beyond this a number no longer counts one by one: it stays, which is still no step back.
    state.count = Math.min(state.count + by, Number.MAX_SAFE_INTEGER);
  }

  /** One sample a series. */
  samples(): MetricSample[] {
    return this.#series.list().map(({ values, state }) => ({
      name: this.family.name,
      labels: namedLabels(this.family, values),
      value: state.count,
    }));
  }
}
