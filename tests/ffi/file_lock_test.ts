import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { makeTempDir } from "../support/temp_dir.ts";
import { libc, native } from "./native_fixture.ts";

test("lockFile() gives a file to one opening at a time, and closing that one frees it", async () => {
  await using dir = await makeTempDir();
  const [first, second] = [openSync(dir.join("lock"), "a+"), openSync(dir.join("lock"), "a+")];
  assert.deepEqual(native.lockFile(first), { kind: "locked" });
  assert.deepEqual(native.lockFile(first), { kind: "locked" });
  assert.deepEqual(native.lockFile(second), { kind: "held" });
  closeSync(first);
  assert.deepEqual(native.lockFile(second), { kind: "locked" });
  closeSync(second);
});

test("lockFile() names the error of a descriptor that is closed", () => {
  const pair = native.socketPair();
  assert.ok(pair.ok);
  for (const fd of pair.fds) libc.close(fd);
  const { EBADF } = native.errno.numbers;
  assert.deepEqual(native.lockFile(pair.fds[1]), { kind: "error", errno: EBADF, name: "EBADF" });
});
