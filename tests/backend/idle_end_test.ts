import assert from "node:assert/strict";
import test from "node:test";
import { IdleEnd } from "../../src/backend/idle_end.ts";
import { FakeTimer } from "../support/fake_timer.ts";

function start(idleTimeoutSecs: number) {
  const timer = new FakeTimer();
  const endsMs: number[] = [];
  const idle = new IdleEnd(idleTimeoutSecs, () => endsMs.push(timer.nowMs), timer.startTimer);
  return { timer, endsMs, idle };
}

test("a backend without a connection ends after twice its idle timeout, once", async () => {
  const { timer, endsMs } = start(30);
  await timer.pass(59_999);
  assert.deepEqual(endsMs, []);
  await timer.pass(100_000);
  assert.deepEqual(endsMs, [60_000]);
  assert.equal(timer.waiting, 0);
});

test("the time begins anew when the last connection is gone, and does not run before", async () => {
  const { timer, endsMs, idle } = start(1);
  await timer.pass(1_500);
  idle.changed(1);
  idle.changed(2);
  assert.equal(timer.waiting, 0);
  await timer.pass(50_000);
  idle.changed(1);
  await timer.pass(50_000);
  idle.changed(0);
  idle.changed(0);
  await timer.pass(1_999);
  assert.deepEqual(endsMs, []);
  await timer.pass(1);
  assert.deepEqual(endsMs, [103_500]);
});

test("0 is not at once, and a stopped one never ends", async () => {
  const none = start(0);
  assert.deepEqual(none.endsMs, []);
  await none.timer.pass(1);
  assert.deepEqual(none.endsMs, [1]);
  const stopped = start(1);
  stopped.idle.stop();
  stopped.idle.changed(0);
  await stopped.timer.pass(50_000);
  assert.deepEqual([stopped.endsMs, stopped.timer.waiting], [[], 0]);
});
