import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { IDLE_TIMEOUT_MS_DEFAULT, IdleCoordinator } from "../../../src/broker/lifecycle/idle_coordinator.ts";

const keys = (due: readonly { key: string }[]) => due.map(({ key }) => key);

test("the idle timeout is 30 s by default, and 0 becomes 1 ms", () => {
  assert.equal(IDLE_TIMEOUT_MS_DEFAULT, 30_000);
  assert.equal(new IdleCoordinator().idleTimeoutMs, 30_000);
  assert.equal(new IdleCoordinator(0).idleTimeoutMs, 1);
  const idle = new IdleCoordinator<string>();
  idle.markActivity("a", 0, 0);
  assert.deepEqual(keys(idle.collectDue(0)), []);
  assert.deepEqual(idle.collectDue(1), [{ key: "a", idleForMs: 1, idleTimeoutMs: 1, reason: "IdleTimeout" }]);
});

test("a backend is not due before its time", () => {
  const idle = new IdleCoordinator<string>(10_000);
  idle.markActivity("a", 5);
  assert.deepEqual(idle.collectDue(9_005), []);
  assert.equal(idle.stateOf("a"), "Running");
  assert.equal(idle.nextDueMs, 10_005);
});

test("a backend is due exactly at its time, with how long it was idle and why it is to end", () => {
  const idle = new IdleCoordinator<string>(10_000);
  idle.markActivity("a", 0);
  assert.deepEqual(idle.collectDue(9_999), []);
  assert.deepEqual(idle.collectDue(10_000), [
    { key: "a", idleForMs: 10_000, idleTimeoutMs: 10_000, reason: "IdleTimeout" },
  ]);
  assert.equal(idle.stateOf("a"), "Draining");
});

test("activity starts the time anew, and brings a draining backend back", () => {
  const idle = new IdleCoordinator<string>(10_000);
  idle.markActivity("a", 0);
  idle.markActivity("a", 9_000);
  assert.deepEqual(idle.collectDue(18_999), []);
  assert.deepEqual(keys(idle.collectDue(19_000)), ["a"]);
  idle.markActivity("a", 19_001);
  assert.equal(idle.stateOf("a"), "Running");
  assert.deepEqual(keys(idle.collectDue(29_001)), ["a"]);
});

test("a backend that drains or ends is not given again", () => {
  const idle = new IdleCoordinator<string>(10_000);
  idle.markActivity("drains", 0);
  idle.markActivity("ends", 0);
  assert.ok(idle.markQuiesced("ends"));
  assert.equal(idle.stateOf("ends"), "Quiesced");
  assert.deepEqual(keys(idle.collectDue(10_000)), ["drains"]);
  assert.deepEqual(keys(idle.collectDue(99_000)), []);
  assert.equal(idle.nextDueMs, undefined);
  assert.ok(!idle.markQuiesced("unknown"));
});

test("each backend has a time of its own", () => {
  const idle = new IdleCoordinator<string>(10_000);
  idle.markActivity("early", 0, 1_000);
  idle.markActivity("late", 0, 60_000);
  idle.markActivity("usual", 500);
  assert.equal(idle.nextDueMs, 1_000);
  assert.deepEqual(keys(idle.collectDue(1_000)), ["early"]);
  assert.equal(idle.nextDueMs, 10_500);
  assert.deepEqual(keys(idle.collectDue(10_500)), ["usual"]);
  assert.deepEqual(keys(idle.collectDue(60_000)), ["late"]);
});

test("a backend that is removed is forgotten, which is told once", () => {
  const idle = new IdleCoordinator<string>(10_000);
  idle.markActivity("a", 0);
  assert.equal(idle.remove("a"), true);
  assert.equal(idle.remove("a"), false);
  assert.equal(idle.stateOf("a"), undefined);
  assert.deepEqual(idle.collectDue(99_000), []);
});

test("a backend is given exactly when it was idle for its time since its last activity", () => {
  const step = fc.record({ key: fc.constantFrom("a", "b"), afterMs: fc.nat(40), isActivity: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const idle = new IdleCoordinator<string>(25);
    const last = new Map<string, number>();
    let nowMs = 0;
    for (const { key, afterMs, isActivity } of steps) {
      nowMs += afterMs;
      if (isActivity) {
        idle.markActivity(key, nowMs);
        last.set(key, nowMs);
        continue;
      }
      const wanted = [...last].filter(([, atMs]) => nowMs - atMs >= 25).map(([name]) => name);
      assert.deepEqual(keys(idle.collectDue(nowMs)).sort(), wanted.sort());
      wanted.forEach((name) => last.delete(name));
    }
  }));
});
