import assert from "node:assert/strict";
import { test } from "node:test";
import { percentile } from "../../bench/percentile.ts";

test("percentile() takes the nearest rank: a sample that was seen", () => {
  const ten = Float64Array.from({ length: 10 }, (_, index) => index + 1);
  assert.deepEqual([1, 10, 11, 50, 95, 99, 100].map((percent) => percentile(ten, percent)), [
    1,
    1,
    2,
    5,
    10,
    10,
    10,
  ]);
  const thousand = Float64Array.from({ length: 1_000 }, (_, index) => index + 1);
  assert.deepEqual([50, 95, 99, 99.9].map((percent) => percentile(thousand, percent)), [500, 950, 990, 999]);
});

test("percentile() refuses to tell of nothing", () => {
  assert.throws(() => percentile(new Float64Array(), 50), RangeError);
});
