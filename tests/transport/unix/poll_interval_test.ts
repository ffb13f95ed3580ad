import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { retryTurn } from "../../../src/transport/unix/poll_interval.ts";

const signal = new CancelSource();

async function durationMs(attempts: readonly number[]): Promise<number> {
  const startMs = performance.now();
  for (const attempt of attempts) await retryTurn(attempt, signal);
  return performance.now() - startMs;
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

test("the first retries come in the next turns of the event loop, without a timer", async () => {
  let fastest = Infinity;
  for (let round = 0; round < 50; round++) fastest = Math.min(fastest, await durationMs(range(0, 4)));
  assert.ok(fastest < 3, `${fastest} ms, which is the time of four timers`);
});

test("later retries wait a millisecond, and from the fiftieth on five", async () => {
  const short = await durationMs(range(4, 10));
  assert.ok(short >= 8, `${short} ms for 10 short waits`);
  const long = await durationMs(range(50, 4));
  assert.ok(long >= 17, `${long} ms for 4 long waits`);
});

test("a signal that has fired ends the waiting, before and after a wait", async () => {
  const fired = new CancelSource();
  fired.abort(new Error("stop"));
  await assert.rejects(retryTurn(0, fired), /stop/);
  await assert.rejects(retryTurn(10, fired), /stop/);
  const late = new CancelSource();
  const waiting = retryTurn(60, late);
  late.abort(new Error("stop"));
  await assert.rejects(waiting, /stop/);
});
