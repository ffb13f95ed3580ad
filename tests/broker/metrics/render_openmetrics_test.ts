import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { LABEL_VALUE_UNITS_MAX, LABEL_VALUES_MAX } from "../../../src/broker/metrics/label_limits.ts";
import { MetricRegistry } from "../../../src/broker/metrics/registry.ts";
import { renderOpenMetrics } from "../../../src/broker/metrics/render_openmetrics.ts";
import { FRAME_BYTES_MAX } from "../../../src/wire/constants.ts";
import { parseOpenMetrics } from "./parse_openmetrics.ts";

const HOST = { connectionsOpen: 3, fdUsageRatio: 0, uptimeMs: 1999 };

/** Frozen for v1; the goldens hold the same text for a broker without samples. */
const FROZEN = [
  "hello_total counter",
  "hello_duration_seconds histogram",
  "active_backends gauge",
  "spawn_attempts_total counter",
  "spawn_budget_remaining gauge",
  "connections_open gauge",
  "fd_usage_ratio gauge",
  "uptime_seconds gauge",
];

const PREFIX = "running_process_broker_v1_";

test("renderOpenMetrics() declares the frozen names and kinds in the frozen order", () => {
  const lines = renderOpenMetrics(new MetricRegistry(), HOST).split("\n");
  const declared = lines.filter((line) => line.startsWith("# TYPE "));
  assert.deepEqual(declared, FROZEN.map((family) => `# TYPE ${PREFIX}${family}`));
  assert.deepEqual(lines.slice(-2), ["# EOF", ""]);
});

test("renderOpenMetrics() shows the host's gauges, uptime in whole seconds", () => {
  const text = renderOpenMetrics(new MetricRegistry(), {
    connectionsOpen: 12,
    fdUsageRatio: 0.25,
    uptimeMs: 61_999,
  });
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(samples, [
    `${PREFIX}connections_open 12`,
    `${PREFIX}fd_usage_ratio 0.25`,
    `${PREFIX}uptime_seconds 61`,
  ]);
});

function filledRegistry(): MetricRegistry {
  const registry = new MetricRegistry();
  const labels = { service: "zccache", version: "1.2.3" };
  registry.helloTotal.increment({ ...labels, outcome: "negotiated" });
  registry.helloTotal.increment({ ...labels, outcome: "negotiated" });
  registry.helloTotal.increment({ ...labels, outcome: "rate-limited" });
  registry.helloDurationSeconds.observe({ service: "zccache" }, 50e-6);
  registry.helloDurationSeconds.observe({ service: "zccache" }, 2);
  registry.activeBackends.replace([{ labels: { service: "zccache" }, value: 1 }]);
  registry.spawnAttemptsTotal.increment({ ...labels, outcome: "started" });
  registry.spawnBudgetRemaining.replace([{ labels, value: 2 }]);
  return registry;
}

test("renderOpenMetrics() shows samples under the frozen names", () => {
  const lines = renderOpenMetrics(filledRegistry(), HOST).split("\n");
  for (
    const line of [
      `# TYPE ${PREFIX}hello counter`,
      `${PREFIX}hello_total{service="zccache",version="1.2.3",outcome="negotiated"} 2`,
      `${PREFIX}hello_total{service="zccache",version="1.2.3",outcome="rate-limited"} 1`,
      `${PREFIX}hello_duration_seconds_bucket{service="zccache",le="5e-05"} 1`,
      `${PREFIX}hello_duration_seconds_bucket{service="zccache",le="1.0"} 1`,
      `${PREFIX}hello_duration_seconds_bucket{service="zccache",le="+Inf"} 2`,
      `${PREFIX}hello_duration_seconds_count{service="zccache"} 2`,
      `${PREFIX}hello_duration_seconds_sum{service="zccache"} 2.00005`,
      `${PREFIX}active_backends{service="zccache"} 1`,
      `# TYPE ${PREFIX}spawn_attempts counter`,
      `${PREFIX}spawn_attempts_total{service="zccache",version="1.2.3",outcome="started"} 1`,
      `${PREFIX}spawn_budget_remaining{service="zccache",version="1.2.3"} 2`,
    ]
  ) assert.ok(lines.includes(line), `${line}\nis not in\n${lines.join("\n")}`);
});

test("renderOpenMetrics() declares a counter that has samples so that OpenMetrics takes them", () => {
  const families = parseOpenMetrics(renderOpenMetrics(filledRegistry(), HOST));
  assert.deepEqual(
    families.map(({ name, type, samples }) => [name.slice(PREFIX.length), type, samples.length]),
    [
      ["hello", "counter", 2],
      ["hello_duration_seconds", "histogram", 17],
      ["active_backends", "gauge", 1],
      ["spawn_attempts", "counter", 1],
      ["spawn_budget_remaining", "gauge", 1],
      ["connections_open", "gauge", 1],
      ["fd_usage_ratio", "gauge", 1],
      ["uptime_seconds", "gauge", 1],
    ],
  );
});

test("renderOpenMetrics() writes any label value so that it reads back the same", () => {
  const ascii = fc.string({ unit: "binary-ascii", maxLength: LABEL_VALUE_UNITS_MAX });
  const hostile = ["\\", '"', "\n", "n", ",", "}", "=", " ", "\r", "\0", "\u2028", "é", "\u{1f600}"];
  const parts = fc.array(fc.constantFrom(...hostile), { maxLength: LABEL_VALUE_UNITS_MAX / 2 });
  const value = fc.oneof(ascii, parts.map((chosen) => chosen.join("")));
  fc.assert(fc.property(value, value, (service, version) => {
    const registry = new MetricRegistry();
    registry.helloTotal.increment({ service, version, outcome: "negotiated" }, 3);
    const [family] = parseOpenMetrics(renderOpenMetrics(registry, HOST));
    assert.deepEqual(family?.samples, [{
      name: `${PREFIX}hello_total`,
      labels: { service, version, outcome: "negotiated" },
      value: 3,
    }]);
  }));
});

test("renderOpenMetrics() fits into one frame however many names clients make up", () => {
  const registry = new MetricRegistry();
  for (let service = 0; service <= LABEL_VALUES_MAX.service; service++) {
    registry.helloDurationSeconds.observe({ service: longest(service) }, 1);
    for (let version = 0; version <= LABEL_VALUES_MAX.version; version++) {
      for (let outcome = 0; outcome <= LABEL_VALUES_MAX.outcome; outcome++) {
        const labels = { service: longest(service), version: longest(version), outcome: longest(outcome) };
        registry.helloTotal.increment(labels, Number.MAX_SAFE_INTEGER);
        registry.spawnAttemptsTotal.increment(labels, Number.MAX_SAFE_INTEGER);
      }
    }
  }
  const bytes = new TextEncoder().encode(renderOpenMetrics(registry, HOST)).length;
  // The rest of the frame is for the reply around the text.
  assert.ok(bytes < FRAME_BYTES_MAX - 1024, `${bytes} bytes`);
});

/** A label value that takes three bytes for every unit. */
function longest(number: number): string {
  return String.fromCharCode(0x4e00 + number).repeat(LABEL_VALUE_UNITS_MAX);
}
