import assert from "node:assert/strict";
import test from "node:test";
import { CancelSource } from "../../../src/cancel_signal.ts";
import {
  END_AFTER_SIGTERM_MS,
  END_BY_ITSELF_MS,
  seeToEnd,
} from "../../../src/broker/lifecycle/see_to_end.ts";
import { FakeTimer } from "../../support/fake_timer.ts";

/** A process that ends when it is told to by `endsOn`, or after a while by itself. */
function start({ endsAtMs = Infinity, endsOn }: { endsAtMs?: number; endsOn?: string }) {
  const [timer, signal] = [new FakeTimer(), new CancelSource()];
  const signals: { signal: string; atMs: number }[] = [];
  let isEnded = false;
  const ending = seeToEnd({
    isAlive: () => !isEnded && timer.nowMs < endsAtMs,
    kill(name) {
      signals.push({ signal: name, atMs: timer.nowMs });
      isEnded = name === endsOn;
    },
    startTimer: timer.startTimer,
    signal,
  });
  return { timer, signal, signals, ending };
}

test("a process that ends by itself gets no signal", async () => {
  for (const endsAtMs of [0, 50, END_BY_ITSELF_MS]) {
    const { timer, signals, ending } = start({ endsAtMs });
    await timer.pass(END_BY_ITSELF_MS + 1_000);
    await ending;
    assert.deepEqual([signals, timer.waiting], [[], 0], String(endsAtMs));
  }
});

test("a process that does not end is asked by SIGTERM, then ended by SIGKILL", async () => {
  const { timer, signals, ending } = start({ endsOn: "SIGKILL" });
  await timer.pass(60_000);
  await ending;
  assert.deepEqual(signals, [
    { signal: "SIGTERM", atMs: END_BY_ITSELF_MS },
    { signal: "SIGKILL", atMs: END_BY_ITSELF_MS + END_AFTER_SIGTERM_MS },
  ]);
  assert.equal(timer.waiting, 0);
});

test("a process that ends on SIGTERM gets nothing more", async () => {
  const { timer, signals, ending } = start({ endsOn: "SIGTERM" });
  await timer.pass(60_000);
  await ending;
  assert.deepEqual(signals.map(({ signal }) => signal), ["SIGTERM"]);
});

test("a broker that stops leaves the process alone", async () => {
  const { timer, signal, signals, ending } = start({});
  await timer.pass(5_000);
  signal.abort(new Error("stops"));
  await timer.pass(60_000);
  await ending;
  assert.deepEqual([signals, timer.waiting], [[], 0]);
});
