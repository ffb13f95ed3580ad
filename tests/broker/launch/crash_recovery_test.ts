import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  CRASH_RETRY_AFTER_MS,
  CRASH_WINDOW_MS,
  CrashRecovery,
} from "../../../src/broker/launch/crash_recovery.ts";

test("CrashRecovery permits a retry after the first crash, of each key for itself", () => {
  const recovery = new CrashRecovery();
  const retry = { kind: "retry", attempt: 1, afterMs: 250 };
  assert.deepEqual(recovery.recordCrash("a", 1_000), retry);
  assert.deepEqual(recovery.recordCrash("b", 1_000), retry);
  assert.deepEqual(new CrashRecovery({ retryAfterMs: 0 }).recordCrash("a", 0), { ...retry, afterMs: 1 });
});

test("CrashRecovery refuses a second crash in the window with the rest of it, and permits a retry after it", () => {
  const recovery = new CrashRecovery();
  recovery.recordCrash("a", 1_000);
  assert.deepEqual(recovery.recordCrash("a", 3_000), { kind: "refuse", retryAfterMs: 28_000 });
  assert.deepEqual(recovery.recordCrash("a", 30_999.5), { kind: "refuse", retryAfterMs: 1 });
  assert.equal(recovery.recordCrash("a", 31_000).kind, "retry");
  assert.deepEqual(recovery.recordCrash("a", 32_000), { kind: "refuse", retryAfterMs: 29_000 });
});

test("CrashRecovery forgets the crashes of a backend that serves", () => {
  const recovery = new CrashRecovery();
  recovery.recordCrash("a", 0);
  recovery.recordSuccess("a");
  assert.equal(recovery.recordCrash("a", 1).kind, "retry");
  assert.equal(recovery.recordCrash("a", 2).kind, "refuse");
});

test("CrashRecovery permits at most one retry in any window, and hints at least 1 ms", () => {
  const steps = fc.array(fc.nat({ max: 20_000 }), { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(steps, (pausesMs) => {
    const recovery = new CrashRecovery();
    let nowMs = 0;
    let retriedMs = -Infinity;
    for (const pauseMs of pausesMs) {
      nowMs += pauseMs;
      const decision = recovery.recordCrash("a", nowMs);
      if (decision.kind === "refuse") {
        assert.equal(decision.retryAfterMs, Math.max(1, retriedMs + CRASH_WINDOW_MS - nowMs));
        continue;
      }
      assert.equal(decision.afterMs, CRASH_RETRY_AFTER_MS);
      assert.ok(nowMs - retriedMs >= CRASH_WINDOW_MS);
      retriedMs = nowMs;
    }
  }));
});
