import assert from "node:assert/strict";
import { fstatSync, readdirSync, writeSync } from "node:fs";
import test from "node:test";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { StderrTail } from "../../../src/broker/launch/stderr_tail.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

test("StderrTail reads the last 4 KiB as text that is fit to be printed, from a file without a name", async () => {
  await using dir = await makeTempDir();
  using tail = new StderrTail(dir.join("err"));
  assert.deepEqual(readdirSync(dir.path), []);
  assert.equal(tail.read(), "");
  writeSync(tail.fd, "é\u001b[31mred\u001b[0m\u0007\n\tnext\u0000\n");
  assert.equal(tail.read(), "éred\n\tnext");
  writeSync(tail.fd, `${"x".repeat(10_000)}end`);
  assert.equal(tail.read(), `${"x".repeat(4_096 - 3)}end`);
});

test("StderrTail empties its file when it is kept small, and closes it when the broker stops", async () => {
  await using dir = await makeTempDir();
  using tail = new StderrTail(dir.join("err"));
  const stop = new CancelSource();
  writeSync(tail.fd, "before");
  tail.keepSmall(stop);
  assert.equal(tail.read(), "");
  writeSync(tail.fd, "after");
  assert.equal(tail.read(), "after");
  stop.abort(new Error("stops"));
  assert.throws(() => fstatSync(tail.fd), /EBADF|bad file descriptor/i);
});
