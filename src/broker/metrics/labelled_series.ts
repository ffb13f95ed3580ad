// This module has no I/O.
import { LABEL_VALUE_UNITS_MAX, LABEL_VALUES_MAX, OVERFLOW_LABEL_VALUE } from "./label_limits.ts";
import type { MetricFamily, MetricLabel } from "./metric_family.ts";

/** A value for each label of a metric. */
export type LabelValues<Label extends MetricLabel> = { readonly [name in Label]: string };

/** What is kept for one choice of label values. */
export interface Series<State> {
  /** In the order of the metric's labels. */
  readonly values: readonly string[];
  /** What is counted, to be changed in place. */
  readonly state: State;
}

interface Branch<State> {
  readonly children: Map<string, Branch<State>>;
  series?: Series<State>;
}

/**
 * The series of one metric, one for each choice of label values, in bounded number.
 *
 * A value beyond {@linkcode LABEL_VALUES_MAX} is counted as `other`. A series is never evicted, so a value is
 * always counted in the same place and what has been counted never shrinks.
 */
export class LabelledSeries<Label extends MetricLabel, State> {
  readonly #family: MetricFamily<Label>;
  readonly #create: () => State;
  readonly #root: Branch<State> = { children: new Map() };

  /**
   * Makes it without series.
   *
   * @param family The metric, for its labels.
   * @param create Makes the state of a series that is new.
   */
  constructor(family: MetricFamily<Label>, create: () => State) {
    this.#family = family;
    this.#create = create;
  }

  /** The state of a series, which is made when it is new. */
  at(labels: LabelValues<Label>): State {
    let branch = this.#root;
    for (const label of this.#family.labels) {
      const child = branch.children.get(labels[label]);
      if (child === undefined) return this.#admit(labels);
      branch = child;
    }
    return branch.series?.state ?? this.#admit(labels);
  }

  #admit(labels: LabelValues<Label>): State {
    const values: string[] = [];
    let branch = this.#root;
    for (const label of this.#family.labels) {
      const value = admittedValue(branch.children, labels[label], LABEL_VALUES_MAX[label]);
      let child = branch.children.get(value);
      if (child === undefined) branch.children.set(value, child = { children: new Map() });
      values.push(value);
      branch = child;
    }
    branch.series ??= { values, state: this.#create() };
    return branch.series.state;
  }

  /** Every series, sorted by its label values. */
  list(): Series<State>[] {
    return listBranch(this.#root);
  }
}

function admittedValue(known: ReadonlyMap<string, unknown>, wanted: string, valuesMax: number): string {
  if (wanted.length > LABEL_VALUE_UNITS_MAX) return OVERFLOW_LABEL_VALUE;
  // Half a character becomes U+FFFD when the text is encoded: two values must not become one only there.
  const value = wanted.toWellFormed();
  if (known.has(value)) return value;
  const used = known.size - (known.has(OVERFLOW_LABEL_VALUE) ? 1 : 0);
  return used < valuesMax ? value : OVERFLOW_LABEL_VALUE;
}

function listBranch<State>({ children, series }: Branch<State>): Series<State>[] {
  if (series !== undefined) return [series];
  return [...children.keys()].sort().flatMap((value) => listBranch(children.get(value)!));
}
