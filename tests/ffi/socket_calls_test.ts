import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  close,
  closesOnExec,
  fdTest,
  filled,
  isNonBlocking,
  layout,
  libc,
  linuxTest,
  native,
  O_NONBLOCK,
  withPair,
} from "./native_fixture.ts";

const { sockets, errno } = native;
const UNUSED_FD = 0x7ffffffe;
const badFd = { ...errno.failure(errno.numbers.EBADF) };
const badFdError = { kind: "error", errno: badFd.errno, name: badFd.name };

describe("calls on connected sockets", () => {
  fdTest("bytes arrive as they were sent, at most as many as asked for", () => {
    withPair((near, far) => {
      const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
      assert.deepEqual(sockets.sendBytes(near, bytes), { kind: "sent", bytesSent: 300 });
      assert.deepEqual(sockets.receiveBytes(far, 100), { kind: "data", bytes: bytes.slice(0, 100) });
      assert.deepEqual(sockets.receiveBytes(far, 1000), { kind: "data", bytes: bytes.slice(100) });
      assert.deepEqual(sockets.receiveBytes(far, 1000), { kind: "again" });
    });
  });

  fdTest("hasWaiting() sees what a read, or on a listener an accept, would find", () => {
    withPair((near, far) => {
      assert.equal(sockets.hasWaiting(far), false);
      sockets.sendBytes(near, filled(1, 1));
      assert.equal(sockets.hasWaiting(far), true);
      assert.equal(sockets.hasWaiting(near), false);
      assert.equal(sockets.hasWaiting(UNUSED_FD), false);
    });
  });

  fdTest("countOpen() counts the descriptors of this process that are open, below a number", () => {
    const [below, before] = [64, sockets.countOpen(64)];
    assert.ok(before !== undefined && before > 0 && before <= below);
    assert.equal(sockets.countOpen(0), 0);
    withPair((near, far) => {
      const lower = [near, far].filter((fd) => fd < below).length;
      assert.equal(sockets.countOpen(below), before + lower);
      const all = sockets.countOpen(512)!;
      assert.equal(sockets.countOpen(Math.max(near, far) + 1)! <= all, true);
    });
    assert.equal(sockets.countOpen(below), before);
  });

  fdTest("received bytes are a copy that the next receive leaves alone", () => {
    withPair((near, far) => {
      sockets.sendBytes(near, filled(4, 1));
      const first = sockets.receiveBytes(far, 4);
      sockets.sendBytes(near, filled(4, 2));
      sockets.receiveBytes(far, 4);
      assert.deepEqual(first, { kind: "data", bytes: filled(4, 1) });
    });
  });

  fdTest("nothing to send is sent without a call", () => {
    assert.deepEqual(sockets.sendBytes(UNUSED_FD, new Uint8Array()), { kind: "sent", bytesSent: 0 });
  });

  linuxTest("a full way takes a part and then answers again, also in blocking mode", () => {
    withPair((near, far) => {
      const chunk = filled(1_000_000, 5);
      const first = sockets.sendBytes(near, chunk);
      assert.ok(first.kind === "sent" && first.bytesSent > 0 && first.bytesSent < chunk.length);
      while (sockets.sendBytes(near, filled(1, 5)).kind === "sent");
      assert.deepEqual(sockets.sendBytes(near, chunk), { kind: "again" });
      const received = sockets.receiveBytes(far, 10_000_000);
      assert.ok(received.kind === "data" && received.bytes.length <= 65_536);
    });
  });

  fdTest("isReadable() tells bytes, emptiness and the end apart and takes nothing", () => {
    withPair((near, far, disown) => {
      assert.deepEqual(sockets.isReadable(far), { kind: "empty" });
      sockets.sendBytes(near, filled(2, 7));
      disown(near);
      close(near);
      assert.deepEqual(sockets.isReadable(far), { kind: "readable" });
      assert.deepEqual(sockets.isReadable(far), { kind: "readable" });
      assert.deepEqual(sockets.receiveBytes(far, 10), { kind: "data", bytes: filled(2, 7) });
      assert.deepEqual(sockets.isReadable(far), { kind: "eof" });
      assert.deepEqual(sockets.receiveBytes(far, 10), { kind: "eof" });
    });
  });

  fdTest(
    "hangUp() tells a peer that closed from one that only stopped sending, behind bytes still to be read",
    () => {
      withPair((near, far, disown) => {
        assert.deepEqual(sockets.hangUp(far), { kind: "connected" });
        sockets.sendBytes(near, filled(2, 7));
        assert.deepEqual(sockets.shutdownWriting(near), { ok: true });
        assert.deepEqual(sockets.hangUp(far), { kind: layout.platform === "linux" ? "ended" : "connected" });
        disown(near);
        close(near);
        assert.deepEqual(sockets.hangUp(far), { kind: "hung-up" });
        assert.deepEqual(sockets.receiveBytes(far, 10), { kind: "data", bytes: filled(2, 7) });
      });
    },
  );

  fdTest("shutdownBoth() ends the connection for every copy of it", () => {
    withPair((near, far) => {
      const copy = sockets.duplicateFd(near);
      assert.ok(copy.ok);
      assert.deepEqual(sockets.shutdownBoth(copy.fd), { ok: true });
      assert.deepEqual(sockets.receiveBytes(far, 1), { kind: "eof" });
      assert.deepEqual(sockets.sendBytes(near, filled(1, 1)), {
        kind: "error",
        errno: errno.numbers.EPIPE,
        name: "EPIPE",
      });
      close(copy.fd);
    });
  });

  linuxTest("shutdownReading() makes the peer's sends fail and keeps what is queued", () => {
    withPair((near, far) => {
      sockets.sendBytes(near, filled(3, 6));
      assert.deepEqual(sockets.shutdownReading(far), { ok: true });
      assert.equal((sockets.sendBytes(near, filled(1, 6)) as { name: string }).name, "EPIPE");
      assert.deepEqual(sockets.receiveBytes(far, 10), { kind: "data", bytes: filled(3, 6) });
      assert.deepEqual(sockets.receiveBytes(far, 10), { kind: "eof" });
      assert.deepEqual(sockets.sendBytes(far, filled(1, 1)), { kind: "sent", bytesSent: 1 });
    });
  });

  fdTest("a duplicate keeps the connection open, and closing it again is an error", () => {
    withPair((near, far, disown) => {
      const copy = sockets.duplicateFd(near);
      assert.ok(copy.ok && copy.fd !== near && copy.fd > 2);
      disown(near);
      close(near);
      assert.equal(sockets.isReadable(far).kind, "empty");
      close(copy.fd);
      assert.equal(sockets.isReadable(far).kind, "eof");
      assert.deepEqual(sockets.closeFd(copy.fd), badFd);
    });
  });

  linuxTest("a duplicate and both ends of a pair close when another program starts", () => {
    withPair((near, far) => {
      const copy = sockets.duplicateFd(near);
      assert.ok(copy.ok);
      assert.deepEqual([near, far, copy.fd].map(closesOnExec), [true, true, true]);
      close(copy.fd);
    });
  });

  linuxTest("makeBlocking() ends the non-blocking mode, for every copy of the socket", () => {
    withPair((near) => {
      const copy = sockets.duplicateFd(near);
      assert.ok(copy.ok && libc.fcntl);
      assert.equal(libc.fcntl(near, layout.constants.F_SETFL, O_NONBLOCK), 0);
      assert.deepEqual([near, copy.fd].map(isNonBlocking), [true, true]);
      assert.deepEqual(sockets.makeBlocking(copy.fd), { ok: true });
      assert.deepEqual([near, copy.fd].map(isNonBlocking), [false, false]);
      close(copy.fd);
    });
  });

  fdTest("a descriptor that is not open is an error of every call", () => {
    assert.deepEqual(sockets.sendBytes(UNUSED_FD, filled(1, 1)), badFdError);
    assert.deepEqual(sockets.receiveBytes(UNUSED_FD, 1), badFdError);
    assert.deepEqual(sockets.isReadable(UNUSED_FD), badFdError);
    assert.deepEqual(sockets.hangUp(UNUSED_FD), badFdError);
    assert.deepEqual(sockets.shutdownBoth(UNUSED_FD), badFd);
    assert.deepEqual(sockets.shutdownReading(UNUSED_FD), badFd);
    assert.deepEqual(sockets.shutdownWriting(UNUSED_FD), badFd);
    assert.deepEqual(sockets.closeFd(UNUSED_FD), badFd);
    assert.deepEqual(sockets.duplicateFd(UNUSED_FD), badFd);
    assert.deepEqual(native.peerCredentials(UNUSED_FD), badFd);
  });

  test("what is no descriptor at all never reaches the kernel", () => {
    const calls: readonly ((fd: number) => unknown)[] = [
      (fd) => sockets.sendBytes(fd, filled(1, 1)),
      (fd) => sockets.receiveBytes(fd, 1),
      sockets.isReadable,
      sockets.hangUp,
      sockets.shutdownBoth,
      sockets.shutdownReading,
      sockets.shutdownWriting,
      sockets.closeFd,
      sockets.duplicateFd,
      sockets.makeBlocking,
      native.peerCredentials,
      native.ownFd,
      (fd) => native.fdPassing.sendFd(fd, filled(1, 1), 0),
      (fd) => native.fdPassing.sendFd(0, filled(1, 1), fd),
      (fd) => native.fdPassing.receive(fd, 1, { fdsMax: 0 }),
    ];
    for (const fd of [NaN, -1, 1.5, Infinity, 2 ** 32, undefined as unknown as number]) {
      calls.forEach((call, i) => assert.throws(() => call(fd), RangeError, `call ${i} with ${fd}`));
    }
  });

  test("receiveBytes() asks for one byte at least", () => {
    for (const bytesMax of [0, -1, NaN, 0.5]) {
      assert.throws(() => sockets.receiveBytes(UNUSED_FD, bytesMax), RangeError);
    }
  });
});
