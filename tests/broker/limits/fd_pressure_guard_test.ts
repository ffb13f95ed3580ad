import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FdPressureGuard, isFdExhaustion } from "../../../src/broker/limits/fd_pressure_guard.ts";

const REFUSAL = {
  code: 9,
  reason: "broker is low on file descriptors; retry shortly",
  retryAfterMs: 1_000n,
};

test("a guard lets Hellos through until descriptors run out, and refuses them in the protocol's words then", () => {
  const guard = new FdPressureGuard();
  assert.equal(guard.refuse(), undefined);
  assert.ok(guard.exhausted());
  assert.deepEqual(guard.refuse(), REFUSAL);
  assert.deepEqual(guard.refuse(), REFUSAL);
  assert.equal(guard.refusedTotal, 2);
});

test("three good accepts in a row end a demotion; one without descriptors begins them anew", () => {
  const guard = new FdPressureGuard();
  guard.exhausted();
  assert.deepEqual([guard.accepted(), guard.accepted()], [false, false]);
  assert.equal(guard.exhausted(), false);
  assert.deepEqual([guard.accepted(), guard.accepted(), guard.isDemoted], [false, false, true]);
  assert.deepEqual([guard.accepted(), guard.isDemoted], [true, false]);
  assert.equal(guard.refuse(), undefined);
});

test("a demotion counts once however often descriptors run out in it", () => {
  const guard = new FdPressureGuard({ recoveryAccepts: 1, retryAfterMs: 250 });
  for (let i = 0; i < 5; i++) guard.exhausted();
  assert.equal(guard.demotionsTotal, 1);
  assert.equal(guard.refuse()?.retryAfterMs, 250n);
  guard.accepted();
  guard.exhausted();
  assert.equal(guard.demotionsTotal, 2);
});

test("accepts outside of a demotion count for nothing", () => {
  const guard = new FdPressureGuard();
  for (let i = 0; i < 5; i++) assert.equal(guard.accepted(), false);
  guard.exhausted();
  assert.deepEqual([guard.accepted(), guard.accepted(), guard.isDemoted], [false, false, true]);
});

test("used-up descriptors of the process and of the system are exhaustion; other errors are not", () => {
  assert.deepEqual(["EMFILE", "ENFILE"].map(isFdExhaustion), [true, true]);
  const others = ["ECONNABORTED", "EACCES", "ENOMEM", "EAGAIN", "", "EMFILE "];
  for (const code of others) assert.equal(isFdExhaustion(code), false, code);
});

test("a guard is demoted exactly when fewer than N accepts in a row were good since the last exhaustion", () => {
  fc.assert(fc.property(fc.array(fc.boolean()), fc.integer({ min: 1, max: 6 }), (steps, recoveryAccepts) => {
    const guard = new FdPressureGuard({ recoveryAccepts });
    let good = Infinity;
    for (const isExhausted of steps) {
      if (isExhausted) good = 0;
      else good++;
      if (isExhausted) guard.exhausted();
      else guard.accepted();
      assert.equal(guard.isDemoted, good < recoveryAccepts);
    }
  }));
});
