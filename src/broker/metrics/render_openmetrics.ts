// This module has no I/O.
import { CONNECTIONS_OPEN, FD_USAGE_RATIO, type MetricFamily, UPTIME_SECONDS } from "./metric_family.ts";
import type { MetricSample, MetricSource } from "./metric_sample.ts";
import { escapeLabelValue, sampleNumber } from "./openmetrics_text.ts";
import type { MetricRegistry } from "./registry.ts";

/** The numbers that have no labels; an AdminSnapshot has them all. */
export interface HostGauges {
  /** Client connections the broker serves now. */
  readonly connectionsOpen: number;
  /** 0 to 1; 0 when not measured. */
  readonly fdUsageRatio: number;
  /** Since the broker started. */
  readonly uptimeMs: number;
}

/** What OpenMetrics puts behind a counter's family name to name its sample. */
const COUNTER_SUFFIX = "_total";

/**
 * Writes all metrics in their frozen order (protocol 6.12), and ours behind them.
 *
 * Without labelled samples the text is byte for byte the reference's. A counter that has samples is declared
 * without `_total`: OpenMetrics rejects a sample that has the same name as its family, and the samples keep the
 * frozen name.
 *
 * @param registry The labelled metrics.
 * @param host The others.
 * @returns The text, up to and including the line `# EOF`.
 */
export function renderOpenMetrics(registry: MetricRegistry, host: HostGauges): string {
  const sources: readonly MetricSource[] = [
    registry.helloTotal,
    registry.helloDurationSeconds,
    registry.activeBackends,
    registry.spawnAttemptsTotal,
    registry.spawnBudgetRemaining,
    hostGauge(CONNECTIONS_OPEN, host.connectionsOpen),
    hostGauge(FD_USAGE_RATIO, host.fdUsageRatio),
    hostGauge(UPTIME_SECONDS, Math.floor(host.uptimeMs / 1000)),
  ];
  const ours: readonly MetricSource[] = [
    registry.handoffAttemptsTotal,
    registry.handoffOutcomesTotal,
    registry.handoffDurationSeconds,
    registry.refusalsTotal,
    registry.limitHitsTotal,
  ];
  const lines = [...sources.flatMap(sourceLines), ...ours.flatMap(linesIfAny)];
  return [...lines, "# EOF", ""].join("\n");
}

function hostGauge(family: MetricFamily, value: number): MetricSource {
  return { family, samples: () => [{ name: family.name, labels: [], value }] };
}

function sourceLines(source: MetricSource): string[] {
  const samples = source.samples();
  return [typeLine(source.family, samples.length > 0), ...samples.map(sampleLine)];
}

function linesIfAny(source: MetricSource): string[] {
  const lines = sourceLines(source);
  return lines.length > 1 ? lines : [];
}

function typeLine({ name, type }: MetricFamily, hasSamples: boolean): string {
  const declared = type === "counter" && hasSamples ? name.slice(0, -COUNTER_SUFFIX.length) : name;
  return `# TYPE ${declared} ${type}`;
}

function sampleLine({ name, labels, value }: MetricSample): string {
  const pairs = labels.map(([label, text]) => `${label}="${escapeLabelValue(text)}"`).join(",");
  return `${name}${pairs === "" ? "" : `{${pairs}}`} ${sampleNumber(value)}`;
}
