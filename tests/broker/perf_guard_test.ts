import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  checkHelloBudget,
  HELLO_P50_MAX_US,
  HELLO_P99_MAX_US,
  HELLO_SAMPLES_MIN,
  HELLO_WARMUPS,
  helloPerfErrorText,
  summarizeHelloLatencies,
} from "../../src/broker/perf_guard.ts";

/** Samples of which some are slow; the order is not that of their size. */
function samplesUs(count: number, usualUs: number, slowCount = 0, slowUs = 0): number[] {
  return Array.from({ length: count }, (_, index) => index < slowCount ? slowUs : usualUs);
}

describe("the budget of a Hello", () => {
  test("is 200 us at P50 and 1 ms at P99, over 10,000 samples after 256 warm-ups", () => {
    assert.deepEqual(
      [HELLO_SAMPLES_MIN, HELLO_P50_MAX_US, HELLO_P99_MAX_US, HELLO_WARMUPS],
      [10_000, 200, 1_000, 256],
    );
  });

  test("is kept by samples that reach it and do not exceed it", () => {
    const samples = samplesUs(10_000, 200, 5_000, 1_000);
    assert.deepEqual(checkHelloBudget(samples), {
      ok: true,
      summary: { samples: 10_000, p50Us: 200, p99Us: 1_000 },
    });
  });

  test("cannot be judged without samples", () => {
    assert.deepEqual(checkHelloBudget([]), {
      ok: false,
      error: { kind: "EmptySamples" },
      summary: undefined,
    });
  });

  test("is not judged by one sample too few, however fast", () => {
    assert.deepEqual(checkHelloBudget(samplesUs(9_999, 1)), {
      ok: false,
      error: { kind: "TooFewSamples", required: 10_000, actual: 9_999 },
      summary: { samples: 9_999, p50Us: 1, p99Us: 1 },
    });
  });

  test("is exceeded at P50 by one slow Hello more than half of them", () => {
    assert.equal(checkHelloBudget(samplesUs(10_000, 100, 5_000, 201)).ok, true);
    const verdict = checkHelloBudget(samplesUs(10_000, 100, 5_001, 201));
    assert.deepEqual(!verdict.ok && verdict.error, { kind: "P50Exceeded", budgetUs: 200, actualUs: 201 });
  });

  test("is exceeded at P99 by one slow Hello more than a hundredth of them", () => {
    assert.equal(checkHelloBudget(samplesUs(10_000, 100, 100, 1_001)).ok, true);
    const verdict = checkHelloBudget(samplesUs(10_000, 100, 101, 1_001));
    assert.deepEqual(!verdict.ok && verdict.error, { kind: "P99Exceeded", budgetUs: 1_000, actualUs: 1_001 });
  });

  test("is judged at P50 before P99", () => {
    const verdict = checkHelloBudget(samplesUs(10_000, 5_000));
    assert.equal(!verdict.ok && verdict.error.kind, "P50Exceeded");
  });
});

describe("summarizeHelloLatencies()", () => {
  test("takes the nearest rank and does not interpolate", () => {
    assert.deepEqual(summarizeHelloLatencies([40, 10, 30, 20]), { samples: 4, p50Us: 20, p99Us: 40 });
    assert.deepEqual(summarizeHelloLatencies([7]), { samples: 1, p50Us: 7, p99Us: 7 });
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual(summarizeHelloLatencies(hundred), { samples: 100, p50Us: 50, p99Us: 99 });
  });

  test("gives nothing for nothing", () => {
    assert.equal(summarizeHelloLatencies([]), undefined);
  });

  test("refuses what has no rank, wherever it stands", () => {
    for (const odd of [NaN, Infinity, -Infinity]) {
      assert.throws(() => summarizeHelloLatencies([1, odd, 2]), {
        name: "RangeError",
        message: /want a finite/,
      });
    }
  });

  test("leaves at least its share of the samples at or below, and fewer than that strictly below", () => {
    fc.assert(fc.property(fc.array(fc.nat(1_000), { minLength: 1, maxLength: 300 }), (samples) => {
      const before = [...samples];
      const { p50Us, p99Us } = summarizeHelloLatencies(samples)!;
      assert.deepEqual(samples, before, "the samples are not touched");
      for (const [value, share] of [[p50Us, 0.5], [p99Us, 0.99]] as const) {
        assert.ok(samples.filter((sample) => sample <= value).length >= samples.length * share);
        assert.ok(samples.filter((sample) => sample < value).length < samples.length * share);
      }
    }));
  });
});

test("helloPerfErrorText() names the figure, what was seen and what was wanted", () => {
  assert.equal(helloPerfErrorText({ kind: "EmptySamples" }), "No Hello samples to judge");
  assert.equal(
    helloPerfErrorText({ kind: "TooFewSamples", required: 10_000, actual: 3 }),
    "3 Hello samples are too few, at least 10000 wanted",
  );
  assert.equal(
    helloPerfErrorText({ kind: "P99Exceeded", budgetUs: 1_000, actualUs: 1_200.1400000000001 }),
    "Hello P99 of 1200.1 us is over its budget of 1000 us",
  );
});
