import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { SpawnCoordinator } from "../../../src/broker/launch/spawn_coordinator.ts";

test("SpawnCoordinator lets three launches of a key begin in 30 s, one at a time", () => {
  const coordinator = new SpawnCoordinator();
  for (const nowMs of [0, 1_000, 2_000]) {
    assert.deepEqual(coordinator.tryBegin("a", nowMs), { kind: "begun" });
    assert.deepEqual(coordinator.tryBegin("a", nowMs), { kind: "in-flight" });
    assert.deepEqual(coordinator.tryBegin("b", nowMs), { kind: "begun" });
    coordinator.finish("a", false);
    coordinator.finish("b", true);
  }
  assert.deepEqual(coordinator.tryBegin("a", 2_000.5), { kind: "exhausted", retryAfterMs: 28_000 });
  assert.deepEqual(coordinator.tryBegin("a", 29_999.9), { kind: "exhausted", retryAfterMs: 1 });
  assert.deepEqual(coordinator.tryBegin("a", 30_000), { kind: "begun" });
});

test("SpawnCoordinator takes limits of nothing for the smallest ones", () => {
  const coordinator = new SpawnCoordinator({ attemptsMax: 0, windowMs: 0 });
  assert.equal(coordinator.tryBegin("a", 0).kind, "begun");
  coordinator.finish("a", false);
  assert.deepEqual(coordinator.tryBegin("a", 0.5), { kind: "exhausted", retryAfterMs: 1 });
  assert.equal(coordinator.tryBegin("a", 1).kind, "begun");
});

test("SpawnCoordinator forgets keys whose window has ended", () => {
  const coordinator = new SpawnCoordinator();
  for (let key = 0; key < 100; key++) coordinator.tryBegin(String(key), key);
  coordinator.tryBegin("new", 30_050);
  assert.deepEqual(coordinator.keys(30_050).length, 50);
});

/** The rules of protocol 6.10 word for word, with a record of every key for ever. */
class Model {
  readonly #keys = new Map<string, { startMs: number; used: number; inFlight: boolean }>();
  readonly #attemptsMax: number;
  readonly #windowMs: number;

  constructor(attemptsMax: number, windowMs: number) {
    this.#attemptsMax = Math.max(1, attemptsMax);
    this.#windowMs = Math.max(1, windowMs);
  }

  #refreshed(key: string, nowMs: number) {
    const seen = this.#keys.get(key);
    return seen === undefined || nowMs - seen.startMs >= this.#windowMs
      ? { startMs: nowMs, used: 0, inFlight: false }
      : seen;
  }

  tryBegin(key: string, nowMs: number) {
    const state = this.#refreshed(key, nowMs);
    if (state.inFlight) return "in-flight";
    if (state.used >= this.#attemptsMax) return "exhausted";
    this.#keys.set(key, { startMs: state.startMs, used: state.used + 1, inFlight: true });
    return "begun";
  }

  finish(key: string, success: boolean) {
    const state = this.#keys.get(key);
    if (state === undefined) return;
    if (success) this.#keys.delete(key);
    else this.#keys.set(key, { ...state, inFlight: false });
  }

  snapshot(key: string, nowMs: number) {
    const { startMs, used, inFlight } = this.#refreshed(key, nowMs);
    const remaining = this.#attemptsMax - used;
    const retryAfterMs = remaining === 0 ? Math.max(1, startMs + this.#windowMs - nowMs) : undefined;
    return { attemptsUsed: used, remaining, inFlight, retryAfterMs };
  }
}

test("SpawnCoordinator does what a record of everything would", () => {
  const step = fc.record({
    act: fc.constantFrom("begin", "success", "failure"),
    key: fc.constantFrom("a", "b", "c"),
    waitMs: fc.integer({ min: 0, max: 12 }),
  });
  const limits = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 40 }));
  fc.assert(fc.property(limits, fc.array(step, { maxLength: 60 }), ([attemptsMax, windowMs], steps) => {
    const coordinator = new SpawnCoordinator({ attemptsMax, windowMs });
    const model = new Model(attemptsMax, windowMs);
    let nowMs = 0;
    for (const { act, key, waitMs } of steps) {
      nowMs += waitMs;
      if (act === "begin") {
        const before = coordinator.snapshot(key, nowMs);
        const decision = coordinator.tryBegin(key, nowMs);
        assert.equal(decision.kind, model.tryBegin(key, nowMs));
        if (decision.kind === "exhausted") assert.equal(decision.retryAfterMs, before.retryAfterMs);
      } else {
        coordinator.finish(key, act === "success");
        model.finish(key, act === "success");
      }
      for (const each of ["a", "b", "c"]) {
        assert.deepEqual(coordinator.snapshot(each, nowMs), model.snapshot(each, nowMs));
      }
    }
  }));
});
