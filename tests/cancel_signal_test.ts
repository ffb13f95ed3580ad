import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelSource } from "../src/cancel_signal.ts";

test("a source that was not fired says so and tells nobody", () => {
  const source = new CancelSource();
  let calls = 0;
  source.addEventListener("abort", () => calls++);
  assert.equal(source.aborted, false);
  assert.equal(source.reason, undefined);
  source.throwIfAborted();
  assert.equal(calls, 0);
});

test("firing tells every listener once, with the reason of the first time", () => {
  const source = new CancelSource();
  const seen: unknown[] = [];
  const listener = () => seen.push(source.reason);
  source.addEventListener("abort", listener);
  source.addEventListener("abort", listener);
  source.addEventListener("abort", () => seen.push(source.aborted));
  const reason = new Error("stop");
  source.abort(reason);
  source.abort(new Error("again"));
  assert.deepEqual(seen, [reason, true]);
  assert.throws(() => source.throwIfAborted(), (error) => error === reason);
});

test("a reason that is undefined fires all the same", () => {
  const source = new CancelSource();
  source.abort(undefined);
  assert.equal(source.aborted, true);
  let thrown = false;
  try {
    source.throwIfAborted();
  } catch {
    thrown = true;
  }
  assert.ok(thrown);
});

test("a listener that was removed, or came too late, is not told", () => {
  const source = new CancelSource();
  let calls = 0;
  const listener = () => calls++;
  source.addEventListener("abort", listener);
  source.removeEventListener("abort", listener);
  source.abort("stop");
  source.addEventListener("abort", listener);
  source.abort("stop");
  assert.equal(calls, 0);
});

test("a listener that adds or removes others while it is told disturbs nothing", () => {
  const source = new CancelSource();
  const seen: string[] = [];
  const second = () => seen.push("second");
  source.addEventListener("abort", () => {
    seen.push("first");
    source.removeEventListener("abort", second);
    source.addEventListener("abort", () => seen.push("late"));
  });
  source.addEventListener("abort", second);
  source.abort("stop");
  assert.deepEqual(seen, ["first", "second"]);
});
