// This module has no I/O.
import { LabelledSeries, type LabelValues } from "./labelled_series.ts";
import type { MetricFamily, MetricLabel } from "./metric_family.ts";
import { type MetricSample, type MetricSource, namedLabels } from "./metric_sample.ts";
import { canonicalNumber } from "./openmetrics_text.ts";

interface Distribution {
  /** How many observations fell in each bucket alone; the last one has no upper bound. */
  readonly counts: number[];
  sum: number;
}

/** How often a measured value was how large. */
export class Histogram<Label extends MetricLabel> implements MetricSource {
  /** What is measured. */
  readonly family: MetricFamily<Label>;
  readonly #upperBounds: readonly number[];
  readonly #series: LabelledSeries<Label, Distribution>;

  /**
   * Makes a histogram without series.
   *
   * @param family What is measured.
   * @param upperBounds The buckets' largest values, inclusive and ascending; one without a bound is added.
   * @throws {RangeError} When they do not ascend or are not finite.
   */
  constructor(family: MetricFamily<Label>, upperBounds: readonly number[]) {
    const ascends = upperBounds.every((bound, i) => i === 0 || bound > upperBounds[i - 1]!);
    if (!ascends || !upperBounds.every(Number.isFinite)) {
      throw new RangeError(
        `Cannot divide "${family.name}" into buckets at ${upperBounds}: want ascending numbers`,
      );
    }
    this.family = family;
    this.#upperBounds = [...upperBounds];
    this.#series = new LabelledSeries(family, () => ({
      counts: new Array<number>(upperBounds.length + 1).fill(0),
      sum: 0,
    }));
  }

  /**
   * Takes one measured value.
   *
   * @param labels What it is counted by.
   * @param value In the unit of the metric's name, from 0.
   * @throws {RangeError} When the value is negative or not finite: the sum would shrink or be lost.
   */
  observe(labels: LabelValues<Label>, value: number): void {
    if (!Number.isFinite(value) || value < 0) {
      throw new RangeError(`Cannot record ${value} in "${this.family.name}": want a finite number from 0`);
    }
    const distribution = this.#series.at(labels);
    let bucket = 0;
    while (bucket < this.#upperBounds.length && value > this.#upperBounds[bucket]!) bucket++;
    distribution.counts[bucket] = distribution.counts[bucket]! + 1;
    distribution.sum += value;
  }

  /** For each series its buckets, each counting the smaller ones too, then count and sum. */
  samples(): MetricSample[] {
    return this.#series.list().flatMap(({ values, state }) =>
      this.#distributionSamples(namedLabels(this.family, values), state)
    );
  }

  #distributionSamples(
    labels: [name: string, value: string][],
    { counts, sum }: Distribution,
  ): MetricSample[] {
    let count = 0;
    const buckets = [...this.#upperBounds, Infinity].map((bound, i): MetricSample => ({
      name: `${this.family.name}_bucket`,
      labels: [...labels, ["le", canonicalNumber(bound)]],
      value: count += counts[i]!,
    }));
    return [
      ...buckets,
      { name: `${this.family.name}_count`, labels, value: count },
      { name: `${this.family.name}_sum`, labels, value: sum },
    ];
  }
}
