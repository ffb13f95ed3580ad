import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { nextSpawnWaitStep } from "../../../src/broker/launch/spawn_wait.ts";

test("nextSpawnWaitStep() waits 50, 100, 200, 500, 1000, 2000 ms, then 2000 ms again, for 60 s altogether", () => {
  const sleeps: number[] = [];
  let elapsedMs = 0;
  for (;;) {
    const state = { isEndpointReady: false, hasExited: false, elapsedMs, sleeps: sleeps.length };
    const step = nextSpawnWaitStep(state);
    if (step.kind !== "sleep") {
      assert.equal(step.kind, "timeout");
      break;
    }
    sleeps.push(step.sleepMs);
    elapsedMs += step.sleepMs;
  }
  assert.equal(elapsedMs, 60_000);
  assert.deepEqual(sleeps.slice(0, 8), [50, 100, 200, 500, 1_000, 2_000, 2_000, 2_000]);
  assert.equal(sleeps.at(-1), 150);
});

test("nextSpawnWaitStep() decides ready before exited before too late before sleeping", () => {
  const state = fc.record({
    isEndpointReady: fc.boolean(),
    hasExited: fc.boolean(),
    elapsedMs: fc.integer({ min: 0, max: 200 }),
    sleeps: fc.nat(20),
  });
  fc.assert(fc.property(state, fc.integer({ min: 1, max: 200 }), (seen, ceilingMs) => {
    const wanted = seen.isEndpointReady
      ? "ready"
      : seen.hasExited
      ? "exited"
      : seen.elapsedMs >= ceilingMs
      ? "timeout"
      : "sleep";
    const step = nextSpawnWaitStep(seen, ceilingMs);
    assert.equal(step.kind, wanted);
    if (step.kind === "sleep") {
      assert.ok(step.sleepMs > 0 && seen.elapsedMs + step.sleepMs <= ceilingMs && step.sleepMs <= 2_000);
    }
  }));
});
