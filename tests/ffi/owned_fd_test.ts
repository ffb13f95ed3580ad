import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ErrnoTable } from "../../ffi/errno.ts";
import { OwnedFd } from "../../ffi/owned_fd.ts";
import { BrokerError } from "../../src/errors.ts";
import { fdTest, native, withPair } from "./native_fixture.ts";

function setUp(errnoOfClose: number = 0) {
  const closed: number[] = [];
  const errno = new ErrnoTable("linux");
  const closeFd = (fd: number) => {
    closed.push(fd);
    return errnoOfClose === 0 ? { ok: true } as const : errno.failure(errnoOfClose);
  };
  return { closed, owned: new OwnedFd(12, { sockets: { closeFd }, errno }) };
}

function isClosedError(error: unknown): boolean {
  return BrokerError.is(error) && error.code === "closed";
}

describe("OwnedFd", () => {
  fdTest("closes a real descriptor once", () => {
    withPair((near, far, disown) => {
      const owned = native.ownFd(near);
      disown(near);
      assert.equal(owned.fd, near);
      owned.close();
      assert.equal(native.sockets.isReadable(far).kind, "eof");
      const [reused] = [native.sockets.duplicateFd(far)];
      assert.ok(reused?.ok);
      owned.close();
      assert.deepEqual(native.sockets.closeFd(reused.fd), { ok: true });
    });
  });

  test("close() closes once, and disposing is closing", () => {
    const { owned, closed } = setUp();
    assert.equal(owned.isOpen, true);
    owned[Symbol.dispose]();
    owned.close();
    owned[Symbol.dispose]();
    assert.deepEqual(closed, [12]);
    assert.equal(owned.isOpen, false);
  });

  test("release() gives the descriptor up, and closing then does nothing", () => {
    const { owned, closed } = setUp();
    assert.equal(owned.release(), 12);
    owned.close();
    owned[Symbol.dispose]();
    assert.deepEqual(closed, []);
    assert.equal(owned.isOpen, false);
  });

  test("a closed or released descriptor cannot be used or released", () => {
    const closed = setUp().owned;
    closed.close();
    const released = setUp().owned;
    released.release();
    for (const owned of [closed, released]) {
      assert.throws(() => owned.fd, isClosedError);
      assert.throws(() => owned.release(), isClosedError);
    }
  });

  test("a descriptor that somebody else closed is an error, once", () => {
    const { owned, closed } = setUp(9);
    const wanted = "[os] Cannot close descriptor 12: close returned EBADF (9)";
    assert.throws(() => owned.close(), { code: "os", message: wanted });
    owned.close();
    assert.deepEqual(closed, [12]);
  });

  test("any other error of close leaves the descriptor closed and is none", () => {
    for (const errno of [4, 5]) {
      const { owned, closed } = setUp(errno);
      owned.close();
      owned.close();
      assert.deepEqual(closed, [12]);
    }
  });

  test("what is no descriptor cannot be owned", () => {
    assert.throws(() => native.ownFd(-1), RangeError);
    assert.throws(() => native.ownFd(NaN), RangeError);
  });
});
