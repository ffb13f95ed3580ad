import assert from "node:assert/strict";
import { test } from "node:test";
import type { CancelSignal } from "../../src/cancel_signal.ts";
import { BrokerError } from "../../src/errors.ts";
import { withDeadline } from "../../src/transport/deadline.ts";

/** Waits for a signal as the product's waits do: it rejects with the reason. */
function untilFired(signal: CancelSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

test("the deadline ends the wait with an error that names the act and the time", async () => {
  await assert.rejects(withDeadline("hear from X", { deadlineMs: 5 }, untilFired), (error) => {
    assert.ok(BrokerError.is(error));
    assert.equal(error.code, "deadline");
    assert.equal(error.message, "[deadline] Cannot hear from X: nothing came within 5 ms");
    return true;
  });
});

test("the caller's signal ends the wait with its own reason", async () => {
  const controller = new AbortController();
  const reason = new Error("not needed any more");
  const waiting = withDeadline("wait", { deadlineMs: 60_000, signal: controller.signal }, untilFired);
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
});

test("a signal that has fired already ends the wait before the act begins", async () => {
  let isBegun = false;
  const reason = new Error("too late");
  const waiting = withDeadline("wait", { deadlineMs: 60_000, signal: AbortSignal.abort(reason) }, () => {
    isBegun = true;
    return Promise.resolve(1);
  });
  await assert.rejects(waiting, (error) => error === reason);
  assert.equal(isBegun, false);
});

test("the act's own outcome is passed on, good or bad", async () => {
  assert.equal(await withDeadline("wait", { deadlineMs: 60_000 }, () => Promise.resolve(7)), 7);
  const failing = withDeadline("wait", { deadlineMs: 60_000 }, () => Promise.reject(new Error("broken")));
  await assert.rejects(failing, /^Error: broken$/);
});

test("timer and listener are gone afterwards, however the wait ended", async () => {
  const ends: Record<string, (signal: CancelSignal, abort: () => void) => Promise<unknown>> = {
    success: () => Promise.resolve(1),
    failure: () => Promise.reject(new Error("broken")),
    abort: (signal, abort) => {
      const waiting = untilFired(signal);
      abort();
      return waiting;
    },
    throw: () => {
      throw new Error("broken at once");
    },
  };
  for (const [name, run] of Object.entries(ends)) {
    const controller = new AbortController();
    const listeners = countListeners(controller.signal);
    const timers = countTimers();
    try {
      const wait = { deadlineMs: 60_000, signal: controller.signal };
      const waiting = withDeadline("wait", wait, (signal) => run(signal, () => controller.abort()));
      await waiting.catch(() => {});
    } finally {
      timers.restore();
    }
    assert.deepEqual([timers.open(), listeners()], [0, 0], name);
  }
});

test("the caller's signal is left alone while the wait lasts", async () => {
  const controller = new AbortController();
  await assert.rejects(
    withDeadline("wait", { deadlineMs: 1, signal: controller.signal }, untilFired),
    /nothing came/,
  );
  assert.equal(controller.signal.aborted, false);
});

function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (count++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (count--, remove(...args));
  return () => count;
}

function countTimers(): { open(): number; restore(): void } {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  let count = 0;
  const spySet = (...args: Parameters<typeof set>) => (count++, set(...args));
  const spyClear = (...args: Parameters<typeof clear>) => (count--, clear(...args));
  Object.assign(globalThis, { setTimeout: spySet, clearTimeout: spyClear });
  return {
    open: () => count,
    restore: () => void Object.assign(globalThis, { setTimeout: set, clearTimeout: clear }),
  };
}
