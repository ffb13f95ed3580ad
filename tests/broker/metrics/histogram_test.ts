import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { Histogram } from "../../../src/broker/metrics/histogram.ts";
import { HELLO_DURATION_SECONDS } from "../../../src/broker/metrics/metric_family.ts";
import { HELLO_DURATION_BOUNDS_SECONDS } from "../../../src/broker/metrics/registry.ts";

const LABELS = { service: "zccache" };

/** The histogram's samples by what distinguishes them. */
function table(histogram: Histogram<"service">): Record<string, number> {
  return Object.fromEntries(
    histogram.samples().map(({ name, labels, value }) => {
      const bound = labels.find(([label]) => label === "le")?.[1] ?? "";
      return [name.slice(HELLO_DURATION_SECONDS.name.length) + bound, value];
    }),
  );
}

test("histogram.observe() counts a value in every bucket that holds it, bounds included", () => {
  const histogram = new Histogram(HELLO_DURATION_SECONDS, [0.001, 0.5, 1]);
  for (const value of [0, 0.001, 0.0011, 0.5, 0.75, 8]) histogram.observe(LABELS, value);
  assert.deepEqual(table(histogram), {
    "_bucket0.001": 2,
    "_bucket0.5": 4,
    "_bucket1.0": 5,
    "_bucket+Inf": 6,
    "_count": 6,
    "_sum": 9.2521,
  });
});

test("histogram.observe() refuses a duration that is negative or no number, and then counts nothing", () => {
  const histogram = new Histogram(HELLO_DURATION_SECONDS, [1]);
  for (const value of [-1e-9, NaN, Infinity]) {
    assert.throws(() => histogram.observe(LABELS, value), RangeError);
  }
  assert.deepEqual(histogram.samples(), []);
});

test("histogram refuses bounds that do not ascend", () => {
  for (const bounds of [[1, 1], [2, 1], [NaN], [1, Infinity]]) {
    assert.throws(() => new Histogram(HELLO_DURATION_SECONDS, bounds), RangeError);
  }
});

test("histogram is not changed by a later change of its bounds' array", () => {
  const bounds = [1, 2];
  const histogram = new Histogram(HELLO_DURATION_SECONDS, bounds);
  bounds[0] = 100;
  histogram.observe(LABELS, 1.5);
  assert.deepEqual([table(histogram)["_bucket1.0"], table(histogram)["_bucket2.0"]], [0, 1]);
});

test("the buckets of Hello durations go from 50 us to 1 s", () => {
  const histogram = new Histogram(HELLO_DURATION_SECONDS, HELLO_DURATION_BOUNDS_SECONDS);
  histogram.observe(LABELS, 0);
  const bounds = Object.keys(table(histogram)).filter((key) => key.startsWith("_bucket"));
  assert.equal(bounds[0], "_bucket5e-05");
  assert.deepEqual(bounds.slice(-2), ["_bucket1.0", "_bucket+Inf"]);
});

test("histogram's buckets never shrink from one to the next, nor from one observation to the next", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 1 }), (values) => {
      const histogram = new Histogram(HELLO_DURATION_SECONDS, HELLO_DURATION_BOUNDS_SECONDS);
      let before: number[] = [];
      for (const value of values) {
        histogram.observe(LABELS, value);
        const now = histogram.samples().map((sample) => sample.value);
        assert.ok(before.every((earlier, i) => now[i]! >= earlier));
        const buckets = now.slice(0, -2);
        assert.ok(buckets.every((count, i) => i === 0 || count >= buckets[i - 1]!));
        before = now;
      }
      assert.equal(table(histogram)["_count"], values.length);
      assert.equal(table(histogram)["_bucket+Inf"], values.length);
    }),
    { numRuns: 50 },
  );
});
