import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { Counter } from "../../../src/broker/metrics/counter.ts";
import { SPAWN_ATTEMPTS_TOTAL } from "../../../src/broker/metrics/metric_family.ts";

const LABELS = { service: "zccache", version: "1.2.3", outcome: "started" };

test("counter.increment() counts by its labels", () => {
  const counter = new Counter(SPAWN_ATTEMPTS_TOTAL);
  counter.increment(LABELS);
  counter.increment(LABELS, 4);
  counter.increment({ ...LABELS, outcome: "failed" }, 0);
  const labels = (outcome: string) => [["service", "zccache"], ["version", "1.2.3"], ["outcome", outcome]];
  assert.deepEqual(counter.samples(), [
    { name: SPAWN_ATTEMPTS_TOTAL.name, labels: labels("failed"), value: 0 },
    { name: SPAWN_ATTEMPTS_TOTAL.name, labels: labels("started"), value: 5 },
  ]);
});

test("counter.increment() refuses what would make it shrink, and then counts nothing", () => {
  const counter = new Counter(SPAWN_ATTEMPTS_TOTAL);
  for (const by of [-1, 0.5, NaN, Infinity]) {
    assert.throws(() => counter.increment(LABELS, by), RangeError);
  }
  assert.deepEqual(counter.samples(), []);
});

test("counter never goes down", () => {
  const steps = fc.array(fc.oneof(fc.nat(), fc.maxSafeNat()), { maxLength: 20 });
  fc.assert(fc.property(steps, (increments) => {
    const counter = new Counter(SPAWN_ATTEMPTS_TOTAL);
    let last = 0;
    for (const by of increments) {
      counter.increment(LABELS, by);
      const value = counter.samples()[0]!.value;
      assert.ok(Number.isSafeInteger(value) && value >= last && value >= by);
      last = value;
    }
  }));
});
