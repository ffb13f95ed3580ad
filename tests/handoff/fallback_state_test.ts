import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  DEFAULT_HANDOFF_FAILED_ATTEMPT_WINDOW_MS,
  DEFAULT_HANDOFF_FAILED_ATTEMPTS_PER_WINDOW,
  type HandoffAttemptInputs,
  HandoffFallbackState,
} from "../../src/handoff/fallback_state.ts";
import {
  attemptFailureOf,
  fallBack,
  HANDOFF_FALLBACK_REASONS,
  type HandoffAttemptFailure,
} from "../../src/handoff/fallback_reason.ts";

const enabled: HandoffAttemptInputs = {
  clientSupportsHandoff: true,
  servicePolicyEnabled: true,
  fdPressureDisabled: false,
  backendAdoptedExisting: false,
};
const failures: HandoffAttemptFailure[] = ["PermissionDenied", "IntegrityMismatch", "BackendAckTimeout"];

function reason(decision: { kind: "attempt" } | { kind: "fallback"; reason: string }): string {
  return decision.kind === "attempt" ? "attempt" : decision.reason;
}

describe("fallbackState.shouldAttempt()", () => {
  test("attempts a handoff when nothing forbids it", () => {
    assert.deepEqual(new HandoffFallbackState().shouldAttempt("b", enabled, 0), { kind: "attempt" });
  });

  test("names the first input that forbids it, in the fixed order", () => {
    const state = new HandoffFallbackState({ failedAttemptsPerWindowMax: 1 });
    state.recordFailedAttempt("b", "BackendAckTimeout", 0);
    let inputs: HandoffAttemptInputs = {
      clientSupportsHandoff: false,
      servicePolicyEnabled: false,
      fdPressureDisabled: true,
      backendAdoptedExisting: true,
    };
    const repairs: [string, Partial<HandoffAttemptInputs>][] = [
      ["ClientUnsupported", { clientSupportsHandoff: true }],
      ["ServicePolicyDisabled", { servicePolicyEnabled: true }],
      ["FdPressureDisabled", { fdPressureDisabled: false }],
      ["AdoptedBackend", { backendAdoptedExisting: false }],
    ];
    for (const [wanted, repair] of repairs) {
      assert.equal(reason(state.shouldAttempt("b", inputs, 0)), wanted);
      inputs = { ...inputs, ...repair };
    }
    assert.equal(reason(state.shouldAttempt("b", inputs, 0)), "FailedAttemptRateLimited");
  });

  test("falls back for a backend that was adopted running, without an error", () => {
    const decision = new HandoffFallbackState().shouldAttempt("b", {
      ...enabled,
      backendAdoptedExisting: true,
    }, 0);
    assert.deepEqual(decision, {
      kind: "fallback",
      reason: "AdoptedBackend",
      usesBackendReconnect: true,
      sendsClientError: false,
    });
  });
});

describe("fallbackState.recordFailedAttempt()", () => {
  test("turns each failure into its reason", () => {
    const state = new HandoffFallbackState();
    for (const failure of failures) {
      assert.deepEqual(state.recordFailedAttempt("b", failure, 0), fallBack(failure));
    }
  });

  test("counts up to the limit, then pauses the backend until the window ends", () => {
    const state = new HandoffFallbackState({ failedAttemptsPerWindowMax: 2 });
    for (let failed = 1; failed <= 3; failed++) {
      state.recordFailedAttempt("b", "BackendAckTimeout", 1000);
      assert.equal(state.failedAttemptCount("b", 1000), Math.min(failed, 2));
    }
    const decision = state.shouldAttempt("b", enabled, 2000);
    assert.deepEqual(decision, fallBack("FailedAttemptRateLimited", 29_000));
    assert.equal(reason(state.shouldAttempt("b", enabled, 30_999)), "FailedAttemptRateLimited");
    assert.equal(reason(state.shouldAttempt("b", enabled, 31_000)), "attempt");
    assert.equal(state.failedAttemptCount("b", 31_000), 0);
    assert.equal(state.backendKeys, 0);
  });

  test("has the reference's limits by default", () => {
    assert.equal(DEFAULT_HANDOFF_FAILED_ATTEMPTS_PER_WINDOW, 8);
    assert.equal(DEFAULT_HANDOFF_FAILED_ATTEMPT_WINDOW_MS, 30_000);
    const state = new HandoffFallbackState();
    for (let failed = 0; failed < 8; failed++) {
      assert.equal(reason(state.shouldAttempt("b", enabled, 0)), "attempt");
      state.recordFailedAttempt("b", "PermissionDenied", 0);
    }
    assert.equal(reason(state.shouldAttempt("b", enabled, 29_999)), "FailedAttemptRateLimited");
  });

  test("counts a configured zero as one", () => {
    const state = new HandoffFallbackState({
      failedAttemptsPerWindowMax: 0,
      failedAttemptWindowMs: 0,
      backendKeysMax: 0,
    });
    state.recordFailedAttempt("b", "PermissionDenied", 0);
    assert.deepEqual(state.shouldAttempt("b", enabled, 0), fallBack("FailedAttemptRateLimited", 1));
    assert.equal(reason(state.shouldAttempt("b", enabled, 1)), "attempt");
  });

  test("keeps backends apart", () => {
    const state = new HandoffFallbackState({ failedAttemptsPerWindowMax: 1 });
    state.recordFailedAttempt("b", "PermissionDenied", 0);
    assert.equal(reason(state.shouldAttempt("c", enabled, 0)), "attempt");
  });

  test("remembers a bounded number of backends, and drops windows that are over first", () => {
    const state = new HandoffFallbackState({
      failedAttemptsPerWindowMax: 1,
      failedAttemptWindowMs: 100,
      backendKeysMax: 2,
    });
    state.recordFailedAttempt("a", "PermissionDenied", 0);
    state.recordFailedAttempt("b", "PermissionDenied", 50);
    state.recordFailedAttempt("c", "PermissionDenied", 100);
    assert.equal(state.keysForgotten, 0);
    assert.equal(state.backendKeys, 2);
    state.recordFailedAttempt("d", "PermissionDenied", 101);
    assert.equal(state.keysForgotten, 1);
    assert.equal(state.backendKeys, 2);
    const reasons = ["b", "c", "d"].map((key) => reason(state.shouldAttempt(key, enabled, 101)));
    assert.deepEqual(reasons, ["attempt", "FailedAttemptRateLimited", "FailedAttemptRateLimited"]);
  });
});

test("fallbackState.recordSuccess() gives the backend its attempts back", () => {
  const state = new HandoffFallbackState({ failedAttemptsPerWindowMax: 1 });
  state.recordFailedAttempt("b", "PermissionDenied", 0);
  state.recordSuccess("b");
  assert.equal(state.failedAttemptCount("b", 0), 0);
  assert.equal(reason(state.shouldAttempt("b", enabled, 0)), "attempt");
});

test("every one of the eight fallback reasons reconnects silently", () => {
  assert.equal(new Set(HANDOFF_FALLBACK_REASONS).size, 8);
  for (const each of HANDOFF_FALLBACK_REASONS) {
    const decision = fallBack(each);
    assert.equal(decision.usesBackendReconnect, true);
    assert.equal(decision.sendsClientError, false);
    assert.equal(attemptFailureOf(each), failures.find((failure) => failure === each));
  }
});

test("fallbackState agrees with a naive model over any history", () => {
  const step = fc.tuple(fc.constantFrom("fail", "success", "decide"), fc.constantFrom("a", "b"), fc.nat(5));
  fc.assert(fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
    const state = new HandoffFallbackState({ failedAttemptsPerWindowMax: 3, failedAttemptWindowMs: 10 });
    const naive = new Map<string, { startedMs: number; failures: number }>();
    let nowMs = 0;
    for (const [act, key, waitMs] of steps) {
      nowMs += waitMs;
      const window = naive.get(key);
      if (window !== undefined && nowMs >= window.startedMs + 10) naive.delete(key);
      const open = naive.get(key);
      if (act === "fail") {
        state.recordFailedAttempt(key, "BackendAckTimeout", nowMs);
        naive.set(key, {
          startedMs: open?.startedMs ?? nowMs,
          failures: Math.min(3, (open?.failures ?? 0) + 1),
        });
      } else if (act === "success") {
        state.recordSuccess(key);
        naive.delete(key);
      } else {
        const isLimited = open?.failures === 3;
        const retryAfterMs = isLimited ? open.startedMs + 10 - nowMs : 0;
        const wanted = isLimited ? fallBack("FailedAttemptRateLimited", retryAfterMs) : { kind: "attempt" };
        assert.deepEqual(state.shouldAttempt(key, enabled, nowMs), wanted);
      }
      assert.equal(state.failedAttemptCount(key, nowMs), naive.get(key)?.failures ?? 0);
    }
  }));
});
