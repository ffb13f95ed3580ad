import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  FLOOR_P50_NOISY_US,
  FLOOR_P99_NOISY_US,
  gateExitCode,
  type GateVerdict,
  judgeGate,
  judgeRuns,
} from "../../bench/gate_verdict.ts";

const SAMPLES = 10_000;

function samplesUs(usualUs: number, slowCount = 0, slowUs = 0): Float64Array {
  return Float64Array.from({ length: SAMPLES }, (_, index) => index < slowCount ? slowUs : usualUs);
}

describe("judgeGate()", () => {
  test("passes Hellos within their budget on a quiet machine", () => {
    const verdict = judgeGate({ hello: samplesUs(80, 100, 5_000), floor: samplesUs(20) });
    assert.deepEqual(verdict, { kind: "passed", text: "Hello 80.0/80.0 us, floor 20.0/20.0 us (P50/P99)" });
  });

  test("fails Hellos over their budget, at P50 and at P99", () => {
    const quiet = samplesUs(20);
    const slow = judgeGate({ hello: samplesUs(201), floor: quiet });
    assert.equal(slow.kind, "exceeded");
    assert.match(slow.text, /^Hello P50 of 201 us is over its budget of 200 us: /);
    const paused = judgeGate({ hello: samplesUs(80, 101, 1_001), floor: quiet });
    assert.equal(paused.kind, "exceeded");
    assert.match(paused.text, /^Hello P99 of 1001 us is over its budget of 1000 us: /);
  });

  test("fails a run that measured too little", () => {
    assert.equal(judgeGate({ hello: samplesUs(80).subarray(1), floor: samplesUs(20) }).kind, "exceeded");
    assert.equal(judgeGate({ hello: [], floor: samplesUs(20) }).kind, "exceeded");
    assert.throws(() => judgeGate({ hello: samplesUs(80), floor: [] }), RangeError);
  });

  test("says nothing about the broker where the floor takes over three quarters of the budget", () => {
    for (const hello of [samplesUs(80), samplesUs(5_000)]) {
      const atBounds = samplesUs(FLOOR_P50_NOISY_US, 5_000, FLOOR_P99_NOISY_US);
      assert.notEqual(judgeGate({ hello, floor: atBounds }).kind, "noisy");
      assert.equal(judgeGate({ hello, floor: samplesUs(FLOOR_P50_NOISY_US + 1) }).kind, "noisy");
      const paused = judgeGate({ hello, floor: samplesUs(20, 101, FLOOR_P99_NOISY_US + 1) });
      assert.equal(paused.kind, "noisy");
      assert.match(paused.text, /^machine too noisy: /);
    }
  });
});

describe("judgeRuns()", () => {
  /** Runs that end as listed. @returns The verdict and how many runs there were. */
  async function judged(...kinds: GateVerdict["kind"][]) {
    let runs = 0;
    const verdict = await judgeRuns(() => Promise.resolve({ kind: kinds[runs++] ?? "passed", text: "" }));
    return [verdict, runs];
  }

  test("stops at the first run that passes", async () => {
    assert.deepEqual(await judged("passed", "exceeded"), ["passed", 1]);
    assert.deepEqual(await judged("noisy", "exceeded", "passed"), ["passed", 3]);
  });

  test("fails after three runs that do not, as too noisy only when all of them were", async () => {
    assert.deepEqual(await judged("noisy", "noisy", "noisy", "passed"), ["noisy", 3]);
    assert.deepEqual(await judged("noisy", "exceeded", "noisy", "passed"), ["exceeded", 3]);
  });
});

test("gateExitCode() tells a broker over its budget from a machine that is too noisy", () => {
  assert.equal(gateExitCode(["passed", "passed"]), 0);
  assert.equal(gateExitCode(["passed", "noisy"]), 77);
  assert.equal(gateExitCode(["noisy", "exceeded", "passed"]), 1);
});
