// This module has no I/O.

/** What a metric counts by. */
export type MetricLabel = "service" | "version" | "outcome" | "stage" | "reason" | "code" | "limit";

/** A metric and what it is counted by. */
export interface MetricFamily<Label extends MetricLabel = MetricLabel> {
  /** The whole name, prefix and `_total` included. */
  readonly name: string;
  /** How OpenMetrics declares it. */
  readonly type: "counter" | "gauge" | "histogram";
  /** In the order they are written; none for a number of the whole broker. */
  readonly labels: readonly Label[];
}

/** What every metric's name starts with. Frozen for v1, like all names, kinds and labels of protocol 6.12 below. */
export const METRIC_PREFIX = "running_process_broker_v1_";

/** Hellos answered. */
export const HELLO_TOTAL: MetricFamily<"service" | "version" | "outcome"> = {
  name: `${METRIC_PREFIX}hello_total`,
  type: "counter",
  labels: ["service", "version", "outcome"],
};

/** From the first byte of a Hello to its answer. */
export const HELLO_DURATION_SECONDS: MetricFamily<"service"> = {
  name: `${METRIC_PREFIX}hello_duration_seconds`,
  type: "histogram",
  labels: ["service"],
};

/** Backends that run. */
export const ACTIVE_BACKENDS: MetricFamily<"service"> = {
  name: `${METRIC_PREFIX}active_backends`,
  type: "gauge",
  labels: ["service"],
};

/** Launches of backends. */
export const SPAWN_ATTEMPTS_TOTAL: MetricFamily<"service" | "version" | "outcome"> = {
  name: `${METRIC_PREFIX}spawn_attempts_total`,
  type: "counter",
  labels: ["service", "version", "outcome"],
};

/** Launches left in the running window. */
export const SPAWN_BUDGET_REMAINING: MetricFamily<"service" | "version"> = {
  name: `${METRIC_PREFIX}spawn_budget_remaining`,
  type: "gauge",
  labels: ["service", "version"],
};

/** Connections the broker holds. */
export const CONNECTIONS_OPEN: MetricFamily<never> = {
  name: `${METRIC_PREFIX}connections_open`,
  type: "gauge",
  labels: [],
};

/** Open descriptors divided by their limit. */
export const FD_USAGE_RATIO: MetricFamily<never> = {
  name: `${METRIC_PREFIX}fd_usage_ratio`,
  type: "gauge",
  labels: [],
};

/** Whole seconds since the broker started. */
export const UPTIME_SECONDS: MetricFamily<never> = {
  name: `${METRIC_PREFIX}uptime_seconds`,
  type: "gauge",
  labels: [],
};

/*
 * Ours, behind the frozen ones and written only once something was counted: until then the text is the reference's.
 */

/** Handoffs that a client was told to wait for. */
export const HANDOFF_ATTEMPTS_TOTAL: MetricFamily<never> = {
  name: `${METRIC_PREFIX}handoff_attempts_total`,
  type: "counter",
  labels: [],
};

/** How handoffs ended: the stage they got to, and what counts against the backend, if anything does. */
export const HANDOFF_OUTCOMES_TOTAL: MetricFamily<"stage" | "reason"> = {
  name: `${METRIC_PREFIX}handoff_outcomes_total`,
  type: "counter",
  labels: ["stage", "reason"],
};

/** From the reply to the end of its handoff, whichever it is. */
export const HANDOFF_DURATION_SECONDS: MetricFamily<never> = {
  name: `${METRIC_PREFIX}handoff_duration_seconds`,
  type: "histogram",
  labels: [],
};

/** Refused Hellos, and first frames that were none, by the word for their error code. */
export const REFUSALS_TOTAL: MetricFamily<"code"> = {
  name: `${METRIC_PREFIX}refusals_total`,
  type: "counter",
  labels: ["code"],
};

/** Connections and Hellos that met a limit. */
export const LIMIT_HITS_TOTAL: MetricFamily<"limit"> = {
  name: `${METRIC_PREFIX}limit_hits_total`,
  type: "counter",
  labels: ["limit"],
};
