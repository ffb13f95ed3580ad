import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ErrnoTable, INTERRUPTIONS_MAX } from "../../ffi/errno.ts";
import { createSocketCalls } from "../../ffi/socket_calls.ts";
import { createSocketPair } from "../../ffi/socket_pair.ts";
import { FakeLibc, knownLayout } from "./fake_libc.ts";

function setUp(platform: "linux" | "darwin") {
  const layout = knownLayout(platform);
  const libc = new FakeLibc(layout);
  const errno = new ErrnoTable(platform);
  return {
    libc,
    constants: layout.constants,
    numbers: errno.numbers,
    sockets: createSocketCalls(libc, layout, errno),
    socketPair: createSocketPair(libc, layout, errno),
  };
}

for (const platform of ["linux", "darwin"] as const) {
  describe(`calls on connected sockets of ${platform}`, () => {
    test("never wait and never raise a signal", () => {
      const { libc, sockets, constants } = setUp(platform);
      const { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK } = constants;
      libc.answer = () => 1;
      sockets.sendBytes(5, Uint8Array.of(1, 2));
      sockets.receiveBytes(5, 9);
      sockets.isReadable(5);
      assert.deepEqual(libc.calls, [
        `send 5 2 ${MSG_DONTWAIT | MSG_NOSIGNAL}`,
        `recv 5 9 ${MSG_DONTWAIT}`,
        `recv 5 1 ${MSG_DONTWAIT | MSG_PEEK}`,
      ]);
      assert.notEqual(MSG_DONTWAIT, 0);
    });

    test("interrupted calls are made again, but not without end", () => {
      const { libc, sockets, numbers } = setUp(platform);
      const calls = [
        () => sockets.sendBytes(5, Uint8Array.of(1)).kind,
        () => sockets.receiveBytes(5, 1).kind,
        () => sockets.isReadable(5).kind,
      ];
      for (const call of calls) {
        libc.calls.length = 0;
        libc.answer = () => libc.calls.length === 3 ? 1 : libc.fail(numbers.EINTR);
        assert.match(call(), /^(sent|data|readable)$/);
        libc.calls.length = 0;
        libc.answer = () => libc.fail(numbers.EINTR);
        assert.equal(call(), "error");
        assert.equal(libc.calls.length, INTERRUPTIONS_MAX + 1);
      }
    });

    test("a failed close is not made again, as its number may be another's by then", () => {
      const { libc, sockets, numbers } = setUp(platform);
      libc.answer = () => libc.fail(numbers.EINTR);
      assert.deepEqual(sockets.closeFd(5), { ok: false, errno: 4, name: "EINTR" });
      assert.deepEqual(libc.closed, [5]);
    });

    test("a failed poll is an error", () => {
      const { libc, sockets, numbers } = setUp(platform);
      libc.answer = () => libc.fail(numbers.ENOMEM);
      assert.deepEqual(sockets.hangUp(5), { kind: "error", errno: numbers.ENOMEM, name: "ENOMEM" });
    });

    test("a pair that cannot be made is a failure", () => {
      const { libc, socketPair, numbers } = setUp(platform);
      libc.answer = () => libc.fail(numbers.EMFILE);
      assert.deepEqual(socketPair(), { ok: false, errno: numbers.EMFILE, name: "EMFILE" });
      assert.deepEqual(libc.closed, []);
    });
  });
}

describe("duplicating and pairing", () => {
  const pairOf = (libc: FakeLibc, then: (call: string) => number) => (call: string, buffer?: Uint8Array) => {
    if (!call.startsWith("socketpair") || buffer === undefined) return then(call);
    buffer.set([61, 0, 0, 0, 62, 0, 0, 0]);
    return libc.calls.length - 1;
  };

  test("linux duplicates in one step, never onto standard input or output", () => {
    const { libc, sockets, constants } = setUp("linux");
    libc.answer = () => 44;
    assert.deepEqual(sockets.duplicateFd(5), { ok: true, fd: 44 });
    assert.deepEqual(libc.calls, [`fcntl 5 ${constants.F_DUPFD_CLOEXEC} 3`]);
  });

  test("darwin duplicates without a variadic argument", () => {
    const { libc, sockets, constants } = setUp("darwin");
    libc.answer = (call) => call === "dup 5" ? 44 : 0;
    assert.deepEqual(sockets.duplicateFd(5), { ok: true, fd: 44 });
    assert.deepEqual(libc.calls, ["dup 5", `ioctl 44 ${constants.FIOCLEX}`]);
  });

  test("a darwin duplicate that cannot be set to close on exec is closed, and the first error told", () => {
    const { libc, sockets, numbers } = setUp("darwin");
    libc.answer = (call) => {
      if (call === "dup 5") return 44;
      return call.startsWith("ioctl") ? libc.fail(numbers.ENOTTY) : libc.fail(numbers.EIO);
    };
    assert.deepEqual(sockets.duplicateFd(5), { ok: false, errno: numbers.ENOTTY, name: "ENOTTY" });
    assert.deepEqual(libc.closed, [44]);
  });

  test("a number is replaced despite interruptions, and kept from children", () => {
    const { libc, sockets, constants, numbers } = setUp("linux");
    let interruptions = 2;
    libc.answer = (call) => call.startsWith("dup2") && interruptions-- > 0 ? libc.fail(numbers.EINTR) : 0;
    assert.deepEqual(sockets.replaceFd(5, 6), { ok: true });
    assert.deepEqual(libc.calls, ["dup2 5 6", "dup2 5 6", "dup2 5 6", `ioctl 6 ${constants.FIOCLEX}`]);
    libc.answer = () => libc.fail(numbers.EBADF);
    assert.deepEqual(sockets.replaceFd(5, 6), { ok: false, errno: numbers.EBADF, name: "EBADF" });
  });

  test("linux clears a socket's status flags to make it blocking, and tells why it cannot", () => {
    const { libc, sockets, constants, numbers } = setUp("linux");
    libc.answer = () => 0;
    assert.deepEqual(sockets.makeBlocking(5), { ok: true });
    assert.deepEqual(libc.calls, [`fcntl 5 ${constants.F_SETFL} 0`]);
    libc.answer = () => libc.fail(numbers.EPERM);
    assert.deepEqual(sockets.makeBlocking(5), { ok: false, errno: numbers.EPERM, name: "EPERM" });
  });

  test("darwin leaves a socket's mode alone rather than call a variadic function", () => {
    const { libc, sockets } = setUp("darwin");
    assert.deepEqual(sockets.makeBlocking(5), { ok: true });
    assert.deepEqual(libc.calls, []);
  });

  test("linux makes a pair that closes on exec in one step", () => {
    const { libc, socketPair, constants } = setUp("linux");
    libc.answer = pairOf(libc, () => 0);
    assert.deepEqual(socketPair(), { ok: true, fds: [61, 62] });
    assert.deepEqual(libc.calls, [`socketpair 1 ${constants.SOCK_STREAM | constants.SOCK_CLOEXEC} 0`]);
  });

  test("darwin sets both ends of a pair to close on exec, and closes both when it cannot", () => {
    const { libc, socketPair, constants, numbers } = setUp("darwin");
    libc.answer = pairOf(libc, () => 0);
    assert.deepEqual(socketPair(), { ok: true, fds: [61, 62] });
    const { FIOCLEX } = constants;
    assert.deepEqual(libc.calls, ["socketpair 1 1 0", `ioctl 61 ${FIOCLEX}`, `ioctl 62 ${FIOCLEX}`]);
    libc.calls.length = 0;
    libc.answer = pairOf(libc, (call) => call.startsWith("ioctl 62") ? libc.fail(numbers.EBADF) : 0);
    assert.deepEqual(socketPair(), { ok: false, errno: numbers.EBADF, name: "EBADF" });
    assert.deepEqual(libc.closed, [61, 62]);
  });
});
