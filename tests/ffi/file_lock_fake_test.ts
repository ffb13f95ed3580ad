import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ErrnoTable, INTERRUPTIONS_MAX } from "../../ffi/errno.ts";
import { createFileLock } from "../../ffi/file_lock.ts";
import { FakeLibc, knownLayout } from "./fake_libc.ts";

function setUp(platform: "linux" | "darwin") {
  const layout = knownLayout(platform);
  const libc = new FakeLibc(layout);
  return { libc, lockFile: createFileLock(libc, layout, new ErrnoTable(platform)) };
}

for (const platform of ["linux", "darwin"] as const) {
  const { numbers } = new ErrnoTable(platform);

  describe(`the file lock of ${platform}`, () => {
    test("is exclusive and never waits", () => {
      const { libc, lockFile } = setUp(platform);
      assert.deepEqual(lockFile(7), { kind: "locked" });
      assert.deepEqual(libc.calls, ["flock 7 6"]);
    });

    test("tells a lock that is held from a lock that fails", () => {
      const { libc, lockFile } = setUp(platform);
      libc.answer = () => libc.fail(numbers.EAGAIN);
      assert.deepEqual(lockFile(7), { kind: "held" });
      libc.answer = () => libc.fail(numbers.EBADF);
      assert.deepEqual(lockFile(7), { kind: "error", errno: numbers.EBADF, name: "EBADF" });
    });

    test("is tried again when it was interrupted, but not without end", () => {
      const { libc, lockFile } = setUp(platform);
      libc.answer = () => libc.calls.length === 3 ? 0 : libc.fail(numbers.EINTR);
      assert.deepEqual(lockFile(7), { kind: "locked" });
      libc.calls.length = 0;
      libc.answer = () => libc.fail(numbers.EINTR);
      assert.equal(lockFile(7).kind, "error");
      assert.equal(libc.calls.length, INTERRUPTIONS_MAX + 1);
    });

    test("lets nothing through that is no descriptor", () => {
      const { libc, lockFile } = setUp(platform);
      assert.throws(() => lockFile(NaN), RangeError);
      assert.deepEqual(libc.calls, []);
    });
  });
}
