import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RECEIVE_BYTES_MAX, SEND_BYTES_MAX } from "../../ffi/fd_passing.ts";
import {
  close,
  closesOnExec,
  fdTest,
  filled,
  libc,
  linuxTest,
  native,
  sendManyFds,
  withPair,
} from "./native_fixture.ts";

const { fdPassing, sockets, errno } = native;
const TOKEN = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

function receiveOne(socketFd: number, length: number, wanted: Uint8Array): number {
  const result = fdPassing.receive(socketFd, length, { fdsMax: 1 });
  assert.equal(result.kind, "data");
  assert.ok(result.kind === "data");
  assert.deepEqual([...result.bytes], [...wanted]);
  const [fd, ...others] = result.fds;
  assert.equal(others.length, 0);
  assert.ok(fd !== undefined, "no descriptor arrived");
  return fd;
}

describe("passing descriptors", () => {
  fdTest("a passed descriptor is the same connection, under another number", () => {
    withPair((near, far) => {
      withPair((mine, theirs, disown) => {
        assert.deepEqual(fdPassing.sendFd(near, TOKEN, theirs), { ok: true });
        disown(theirs);
        close(theirs);
        const adopted = receiveOne(far, 16, TOKEN);
        assert.deepEqual(sockets.sendBytes(adopted, filled(3, 7)), { kind: "sent", bytesSent: 3 });
        const echoed = sockets.receiveBytes(mine, 10);
        assert.deepEqual(echoed, { kind: "data", bytes: filled(3, 7) });
        close(adopted);
        assert.deepEqual(sockets.receiveBytes(mine, 10), { kind: "eof" });
      });
    });
  });

  fdTest("the sender's own copy stays open and is the sender's", () => {
    withPair((near, far) => {
      assert.deepEqual(fdPassing.sendFd(near, TOKEN, near), { ok: true });
      assert.deepEqual(sockets.sendBytes(near, filled(1, 1)), { kind: "sent", bytesSent: 1 });
      close(receiveOne(far, 16, TOKEN));
    });
  });

  linuxTest("a received descriptor closes when another program starts", () => {
    withPair((near, far) => {
      const inherited = libc.dup(near);
      assert.equal(closesOnExec(inherited), false);
      assert.deepEqual(fdPassing.sendFd(near, TOKEN, inherited), { ok: true });
      const adopted = receiveOne(far, 16, TOKEN);
      assert.equal(closesOnExec(adopted), true);
      close(inherited, adopted);
    });
  });

  fdTest("two messages with a descriptor each stay two, when exactly their length is asked for", () => {
    withPair((near, far) => {
      assert.deepEqual(fdPassing.sendFd(near, TOKEN, near), { ok: true });
      assert.deepEqual(fdPassing.sendFd(near, TOKEN.toReversed(), far), { ok: true });
      assert.equal(sockets.sendBytes(near, filled(60, 9)).kind, "sent");
      close(receiveOne(far, 16, TOKEN), receiveOne(far, 16, TOKEN.toReversed()));
      assert.deepEqual(sockets.receiveBytes(far, 256), { kind: "data", bytes: filled(60, 9) });
    });
  });

  fdTest("a receive never takes bytes behind its length, and leaves no trace of an earlier one", () => {
    withPair((near, far) => {
      assert.equal(sockets.sendBytes(near, filled(20, 3)).kind, "sent");
      const first = fdPassing.receive(far, 16, { fdsMax: 1 });
      assert.deepEqual(first, { kind: "data", bytes: filled(16, 3), fds: [] });
      assert.deepEqual(fdPassing.receive(far, 16, { fdsMax: 1 }), {
        kind: "data",
        bytes: filled(4, 3),
        fds: [],
      });
      assert.equal(sockets.sendBytes(near, filled(16, 8)).kind, "sent");
      assert.equal(fdPassing.receive(far, 16, { fdsMax: 1 }).kind, "data");
      assert.deepEqual(first, { kind: "data", bytes: filled(16, 3), fds: [] });
    });
  });

  linuxTest("bytes sent before a descriptor's message are glued to it, so its length has to be exact", () => {
    withPair((near, far) => {
      assert.equal(sockets.sendBytes(near, filled(5, 0xee)).kind, "sent");
      assert.deepEqual(fdPassing.sendFd(near, TOKEN, near), { ok: true });
      close(receiveOne(far, 256, Uint8Array.of(...filled(5, 0xee), ...TOKEN)));
      assert.equal(sockets.sendBytes(near, filled(5, 0xee)).kind, "sent");
      assert.deepEqual(fdPassing.sendFd(near, TOKEN, near), { ok: true });
      assert.deepEqual(fdPassing.receive(far, 5, { fdsMax: 0 }), {
        kind: "data",
        bytes: filled(5, 0xee),
        fds: [],
      });
      close(receiveOne(far, 16, TOKEN));
    });
  });

  fdTest("fewer descriptors than allowed are no violation, exactly as many neither", () => {
    withPair((near, far) => {
      assert.equal(sendManyFds(near, TOKEN, [near, far, near]), 16);
      const result = fdPassing.receive(far, 16, { fdsMax: 3 });
      assert.ok(result.kind === "data");
      assert.equal(new Set(result.fds).size, 3);
      close(...result.fds);
    });
  });

  fdTest("a descriptor on its way is closed when the receiver dies before taking it", () => {
    withPair((near, far, disownChannel) => {
      withPair((mine, theirs, disown) => {
        assert.deepEqual(fdPassing.sendFd(near, TOKEN, theirs), { ok: true });
        disown(theirs);
        close(theirs);
        assert.equal(sockets.isReadable(mine).kind, "empty");
        disownChannel(far);
        close(far);
        assert.equal(sockets.isReadable(mine).kind, "eof");
      });
    });
  });

  fdTest("an ordinary look at the queue leaves the descriptor in it, an ordinary receive loses it", () => {
    withPair((near, far) => {
      assert.deepEqual(fdPassing.sendFd(near, TOKEN, near), { ok: true });
      assert.equal(sockets.isReadable(far).kind, "readable");
      close(receiveOne(far, 16, TOKEN));
      assert.deepEqual(fdPassing.sendFd(near, TOKEN, near), { ok: true });
      assert.deepEqual(sockets.receiveBytes(far, 16), { kind: "data", bytes: TOKEN });
    });
  });
});

describe("passing descriptors: what the kernel refuses", () => {
  fdTest("an empty socket answers again, a closed one the end", () => {
    withPair((near, far, disown) => {
      assert.deepEqual(fdPassing.receive(far, 16, { fdsMax: 1 }), { kind: "again" });
      disown(near);
      close(near);
      assert.deepEqual(fdPassing.receive(far, 16, { fdsMax: 1 }), { kind: "eof" });
    });
  });

  fdTest("a peer that is gone, a descriptor that is none and a socket that is none are told apart", () => {
    withPair((near, far, disown) => {
      const unused = 0x7ffffffe;
      const refused = (code: "EPIPE" | "EBADF" | "ENOTSOCK") => ({
        ...errno.failure(errno.numbers[code]),
        bytesSent: 0,
        isBackpressure: false,
      });
      const badFd = { kind: "error", errno: errno.numbers.EBADF, name: "EBADF" };
      assert.deepEqual(fdPassing.sendFd(near, TOKEN, unused), refused("EBADF"));
      assert.deepEqual(fdPassing.sendFd(unused, TOKEN, near), refused("EBADF"));
      assert.deepEqual(fdPassing.receive(unused, 16, { fdsMax: 1 }), badFd);
      disown(far);
      close(far);
      assert.deepEqual(fdPassing.sendFd(near, TOKEN, near), refused("EPIPE"));
      assert.equal(sockets.hangUp(near).kind, "hung-up");
    });
  });

  linuxTest("a full way is backpressure, at once, also on a socket in blocking mode", () => {
    withPair((near) => {
      const chunk = filled(65_536, 0);
      let chunks = 0;
      while (sockets.sendBytes(near, chunk).kind === "sent") assert.ok(++chunks < 1000, "never full");
      while (sockets.sendBytes(near, filled(1, 0)).kind === "sent") {
        assert.ok(++chunks < 100_000, "never full");
      }
      assert.deepEqual(fdPassing.sendFd(near, TOKEN, near), {
        ...errno.failure(errno.numbers.EAGAIN),
        bytesSent: 0,
        isBackpressure: true,
      });
    });
  });

  test("lengths that no message has are refused before any call", () => {
    withPair((near, far) => {
      assert.throws(() => fdPassing.sendFd(near, new Uint8Array(), near), RangeError);
      assert.throws(
        () => fdPassing.sendFd(near, new Uint8Array(SEND_BYTES_MAX + 1), near),
        /1 to 4096 bytes/,
      );
      for (const length of [0, -1, 1.5, NaN, RECEIVE_BYTES_MAX + 1]) {
        assert.throws(() => fdPassing.receive(far, length, { fdsMax: 1 }), RangeError, String(length));
      }
      assert.equal(sockets.isReadable(far).kind, "empty");
    });
  });

  fdTest("the longest message and the longest receive work", () => {
    withPair((near, far) => {
      const longest = filled(SEND_BYTES_MAX, 0xab);
      assert.deepEqual(fdPassing.sendFd(near, longest, near), { ok: true });
      close(receiveOne(far, SEND_BYTES_MAX, longest));
      const sent = sockets.sendBytes(near, filled(RECEIVE_BYTES_MAX, 0xcd));
      assert.ok(sent.kind === "sent");
      const received = fdPassing.receive(far, RECEIVE_BYTES_MAX, { fdsMax: 0 });
      assert.deepEqual(received, { kind: "data", bytes: filled(sent.bytesSent, 0xcd), fds: [] });
    });
  });
});
