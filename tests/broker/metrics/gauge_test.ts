import assert from "node:assert/strict";
import test from "node:test";
import { LABEL_VALUES_MAX, OVERFLOW_LABEL_VALUE } from "../../../src/broker/metrics/label_limits.ts";
import { MetricRegistry } from "../../../src/broker/metrics/registry.ts";

function services(count: number): { labels: { service: string }; value: number }[] {
  return Array.from({ length: count }, (_, i) => ({ labels: { service: `service${i}` }, value: i }));
}

test("gauge.replace() shows the new rows and no old ones", () => {
  const { activeBackends } = new MetricRegistry();
  assert.deepEqual(activeBackends.samples(), []);
  activeBackends.replace(services(3));
  activeBackends.replace([{ labels: { service: "soldr" }, value: 2 }]);
  const name = "running_process_broker_v1_active_backends";
  assert.deepEqual(activeBackends.samples(), [{ name, labels: [["service", "soldr"]], value: 2 }]);
});

test("gauge.replace() adds backends up that have no place of their own", () => {
  const { activeBackends } = new MetricRegistry();
  const rows = services(LABEL_VALUES_MAX.service).concat([5, 6, 7].map((value) => ({
    labels: { service: `late${value}` },
    value,
  })));
  activeBackends.replace(rows);
  const samples = activeBackends.samples();
  assert.equal(samples.length, LABEL_VALUES_MAX.service + 1);
  assert.equal(samples.find(({ labels }) => labels[0]?.[1] === OVERFLOW_LABEL_VALUE)?.value, 18);
});

test("gauge.replace() shows the least spawn budget of those that have no place of their own", () => {
  const { spawnBudgetRemaining } = new MetricRegistry();
  spawnBudgetRemaining.replace([3, 1, 2].map((value) => ({
    labels: { service: OVERFLOW_LABEL_VALUE, version: OVERFLOW_LABEL_VALUE },
    value,
  })));
  assert.deepEqual(spawnBudgetRemaining.samples().map(({ value }) => value), [1]);
});

test("gauge.replace() frees the places that earlier rows had", () => {
  const { activeBackends } = new MetricRegistry();
  activeBackends.replace(services(LABEL_VALUES_MAX.service + 1));
  activeBackends.replace([{ labels: { service: "new" }, value: 1 }]);
  assert.deepEqual(activeBackends.samples().map(({ labels }) => labels), [[["service", "new"]]]);
});

test("gauge.replace() refuses a value that is no number and keeps its rows", () => {
  const { activeBackends } = new MetricRegistry();
  activeBackends.replace(services(1));
  const before = activeBackends.samples();
  for (const value of [NaN, Infinity]) {
    assert.throws(() => activeBackends.replace([{ labels: { service: "soldr" }, value }]), RangeError);
  }
  assert.deepEqual(activeBackends.samples(), before);
});
