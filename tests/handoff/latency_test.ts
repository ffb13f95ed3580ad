import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  collectLatencySamples,
  compareHandoffLatency,
  handoffLatencyErrorText,
  summarizeLatencySamples,
} from "../../src/handoff/latency.ts";

test("collectLatencySamples() throws the warm-up away and keeps the measured runs in order", async () => {
  let runs = 0;
  assert.deepEqual(await collectLatencySamples(2, 3, () => ++runs), [3, 4, 5]);
  assert.deepEqual(await collectLatencySamples(1, 2, () => Promise.resolve(++runs)), [7, 8]);
});

test("collectLatencySamples() runs one measurement at a time", async () => {
  let running = 0;
  await collectLatencySamples(1, 3, async () => {
    assert.equal(running++, 0);
    await Promise.resolve();
    return --running;
  });
});

test("collectLatencySamples() collects nothing in no iterations, but warms up", async () => {
  let runs = 0;
  assert.deepEqual(await collectLatencySamples(2, 0, () => ++runs), []);
  assert.equal(runs, 2);
});

test("summarizeLatencySamples() gives nearest-rank percentiles, or nothing", () => {
  assert.equal(summarizeLatencySamples([]), undefined);
  assert.deepEqual(summarizeLatencySamples([5]), { samples: 1, p50: 5, p99: 5 });
  assert.deepEqual(summarizeLatencySamples([4, 1, 3, 2]), { samples: 4, p50: 2, p99: 4 });
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual(summarizeLatencySamples(hundred), { samples: 100, p50: 50, p99: 99 });
  assert.deepEqual(summarizeLatencySamples([...hundred, 101]), { samples: 101, p50: 51, p99: 100 });
});

test("summarizeLatencySamples() sorts by value and leaves the samples alone", () => {
  const samples = [10, 9, 100];
  assert.deepEqual(summarizeLatencySamples(samples), { samples: 3, p50: 10, p99: 100 });
  assert.deepEqual(samples, [10, 9, 100]);
});

test("summarizeLatencySamples() refuses what has no rank", () => {
  for (const odd of [NaN, Infinity]) assert.throws(() => summarizeLatencySamples([1, odd]), RangeError);
});

test("summarizeLatencySamples() gives the least sample with enough of them at or below it", () => {
  fc.assert(fc.property(fc.array(fc.nat(50), { minLength: 1 }), (samples) => {
    const summary = summarizeLatencySamples(samples);
    assert.ok(summary !== undefined);
    for (const [percentile, value] of [[50, summary.p50], [99, summary.p99]] as const) {
      const needed = samples.length * percentile / 100;
      assert.ok(samples.includes(value));
      assert.ok(samples.filter((sample) => sample <= value).length >= needed);
      assert.ok(samples.filter((sample) => sample < value).length < needed);
    }
  }));
});

test("compareHandoffLatency() passes a handoff that is strictly faster at P50 and P99", () => {
  assert.deepEqual(compareHandoffLatency([1, 2, 3], [2, 4, 6]), {
    ok: true,
    comparison: {
      handoff: { samples: 3, p50: 2, p99: 3 },
      fallback: { samples: 3, p50: 4, p99: 6 },
      p50Savings: 2,
      p99Savings: 3,
    },
  });
});

test("compareHandoffLatency() names the percentile that is equal or slower", () => {
  const cases = [
    { handoff: [4, 4, 4], fallback: [4, 4, 9], error: { kind: "P50NotFaster", handoff: 4, fallback: 4 } },
    { handoff: [5, 5, 5], fallback: [4, 4, 9], error: { kind: "P50NotFaster", handoff: 5, fallback: 4 } },
    { handoff: [1, 1, 9], fallback: [4, 4, 9], error: { kind: "P99NotFaster", handoff: 9, fallback: 9 } },
    { handoff: [1, 1, 10], fallback: [4, 4, 9], error: { kind: "P99NotFaster", handoff: 10, fallback: 9 } },
  ] as const;
  for (const { handoff, fallback, error } of cases) {
    assert.deepEqual(compareHandoffLatency(handoff, fallback), { ok: false, error });
    assert.ok(handoffLatencyErrorText(error).includes(error.kind.slice(0, 3)));
  }
});

test("compareHandoffLatency() needs samples of both routes", () => {
  assert.deepEqual(compareHandoffLatency([], [1]), { ok: false, error: { kind: "EmptyHandoffSamples" } });
  assert.deepEqual(compareHandoffLatency([1], []), { ok: false, error: { kind: "EmptyFallbackSamples" } });
  assert.deepEqual(compareHandoffLatency([], []), { ok: false, error: { kind: "EmptyHandoffSamples" } });
});
