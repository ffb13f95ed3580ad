// This module has no I/O.
import type { MetricLabel } from "./metric_family.ts";

/** What a label's value becomes once its limit is reached. */
export const OVERFLOW_LABEL_VALUE = "other";

/**
 * How many different values a label may have below one choice of the labels before it. Clients choose service and
 * version, so a metric with all three labels is held to 33 * 17 * 17 = 9537 series: all metrics together, with the
 * longest values, still fit into the one frame that carries them.
 */
export const LABEL_VALUES_MAX: Readonly<Record<MetricLabel, number>> = {
  /** More services than a user installs. */
  service: 32,
  /** More versions of one service than a broker sees between two restarts. */
  version: 16,
  /** "negotiated" and a word for each refusal code, with room. */
  outcome: 16,
  /** "completed" and the stages of a handoff, with room. */
  stage: 16,
  /** "none" and what can count against a backend, with room. */
  reason: 16,
  /** A word for each refusal code, with room. */
  code: 16,
  /** Every limit that this broker has, with room. */
  limit: 16,
};

/** Longest label value in UTF-16 units, the longest valid service name; a longer one counts as overflow. */
export const LABEL_VALUE_UNITS_MAX = 64;
