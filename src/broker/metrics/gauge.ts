// This module has no I/O.
import { LabelledSeries, type LabelValues } from "./labelled_series.ts";
import type { MetricFamily, MetricLabel } from "./metric_family.ts";
import { type MetricSample, type MetricSource, namedLabels } from "./metric_sample.ts";

/** One row of a gauge. */
export interface GaugeRow<Label extends MetricLabel> {
  /** The label values it is shown under. */
  readonly labels: LabelValues<Label>;
  /** A finite number, in the unit of the metric's name. */
  readonly value: number;
}

/** What rows with the same label values become: overflow puts rows together that had different ones. */
export type GaugeMerge = (a: number, b: number) => number;

/**
 * A number that goes up and down.
 *
 * All rows are replaced at once by what is so now: what ended leaves no row behind, and the rows that
 * share `other` are merged instead of overwriting each other.
 */
export class Gauge<Label extends MetricLabel> implements MetricSource {
  /** What is shown. */
  readonly family: MetricFamily<Label>;
  readonly #merge: GaugeMerge;
  #series: LabelledSeries<Label, { value: number | undefined }>;

  /**
   * Makes a gauge without rows.
   *
   * @param family What is shown.
   * @param merge What rows with the same label values become.
   */
  constructor(family: MetricFamily<Label>, merge: GaugeMerge) {
    this.family = family;
    this.#merge = merge;
    this.#series = emptySeries(family);
  }

  /**
   * Shows these rows and no others.
   *
   * @param rows What is so now.
   * @throws {RangeError} When a value is not finite; the rows stay as they were.
   */
  replace(rows: Iterable<GaugeRow<Label>>): void {
    const series = emptySeries(this.family);
    for (const { labels, value } of rows) {
      if (!Number.isFinite(value)) {
        throw new RangeError(`Cannot set gauge "${this.family.name}" to ${value}: want a finite number`);
      }
      const state = series.at(labels);
      state.value = state.value === undefined ? value : this.#merge(state.value, value);
    }
    this.#series = series;
  }

  /** One sample a row. */
  samples(): MetricSample[] {
    return this.#series.list().map(({ values, state }) => ({
      name: this.family.name,
      labels: namedLabels(this.family, values),
      value: state.value!,
    }));
  }
}

function emptySeries<Label extends MetricLabel>(
  family: MetricFamily<Label>,
): LabelledSeries<Label, { value: number | undefined }> {
  return new LabelledSeries(family, () => ({ value: undefined }));
}
