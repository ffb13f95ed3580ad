import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ErrnoTable, INTERRUPTIONS_MAX } from "../../ffi/errno.ts";
import { createFdPassing } from "../../ffi/fd_passing.ts";
import { controlLength } from "../../ffi/layout.ts";
import { controlBytes, FakeLibc, fdData, knownLayout } from "./fake_libc.ts";

const PAYLOAD = Uint8Array.of(1, 2, 3, 4);

function setUp(platform: "linux" | "darwin") {
  const layout = knownLayout(platform);
  const libc = new FakeLibc(layout);
  const { SOL_SOCKET, SCM_RIGHTS } = layout.constants;
  const rights = (fds: readonly number[], claims?: number) =>
    controlBytes(layout, [
      { level: SOL_SOCKET, type: SCM_RIGHTS, data: fdData(fds), ...(claims === undefined ? {} : { claims }) },
    ]);
  const { numbers } = new ErrnoTable(platform);
  const { sendFd, receive } = createFdPassing(libc, layout, new ErrnoTable(platform));
  return { layout, libc, rights, numbers, sendFd, receive: () => receive(7, 4, { fdsMax: 1 }) };
}

for (const platform of ["linux", "darwin"] as const) {
  describe(`passing descriptors on ${platform}`, () => {
    test("sendFd() sends one message with the bytes and one descriptor, without waiting or a signal", () => {
      const { layout, libc, rights, sendFd } = setUp(platform);
      const seen: unknown[] = [];
      libc.onSendMessage = ({ payload, control, vectorCount }, flags) => {
        seen.push([...payload], [...control], vectorCount, flags);
        return payload.length;
      };
      assert.deepEqual(sendFd(7, PAYLOAD, 9), { ok: true });
      const { MSG_DONTWAIT, MSG_NOSIGNAL } = layout.constants;
      assert.deepEqual(seen, [[...PAYLOAD], [...rights([9])], 1, MSG_DONTWAIT | MSG_NOSIGNAL]);
      assert.deepEqual(libc.calls, ["sendmsg 7"]);
    });

    test("a second, shorter send has nothing of the first", () => {
      const { libc, rights, sendFd } = setUp(platform);
      let seen: unknown;
      libc.onSendMessage = ({ payload, control }) => {
        seen = [[...payload], [...control]];
        return payload.length;
      };
      sendFd(7, new Uint8Array(100).fill(8), 0x7fffffff);
      sendFd(7, PAYLOAD, 2);
      assert.deepEqual(seen, [[...PAYLOAD], [...rights([2])]]);
    });

    test("a short send says how much left, so that nobody offers the descriptor again", () => {
      const { libc, sendFd } = setUp(platform);
      for (const bytesSent of [0, 1, 3]) {
        libc.onSendMessage = () => bytesSent;
        const wanted = { ok: false, errno: 0, name: "short send", bytesSent, isBackpressure: false };
        assert.deepEqual(sendFd(7, PAYLOAD, 9), wanted);
      }
    });

    test("a refused send names the error, and whether waiting helps", () => {
      const { libc, sendFd, numbers } = setUp(platform);
      for (const name of ["EPIPE", "EAGAIN", "EMSGSIZE", "ENOBUFS", "ETOOMANYREFS"] as const) {
        libc.onSendMessage = () => libc.fail(numbers[name]);
        const waiting = platform === "linux" ? ["EAGAIN", "ETOOMANYREFS"] : ["EAGAIN", "EMSGSIZE", "ENOBUFS"];
        assert.deepEqual(sendFd(7, PAYLOAD, 9), {
          ok: false,
          errno: numbers[name],
          name,
          bytesSent: 0,
          isBackpressure: waiting.includes(name),
        });
      }
    });

    test("an interrupted send is made again, but not without end", () => {
      const { libc, sendFd, numbers } = setUp(platform);
      libc.onSendMessage = () => libc.calls.length === 3 ? PAYLOAD.length : libc.fail(numbers.EINTR);
      assert.deepEqual(sendFd(7, PAYLOAD, 9), { ok: true });
      libc.onSendMessage = () => libc.fail(numbers.EINTR);
      libc.calls.length = 0;
      assert.equal((sendFd(7, PAYLOAD, 9) as { name: string }).name, "EINTR");
      assert.equal(libc.calls.length, INTERRUPTIONS_MAX + 1);
    });

    test("an interrupted receive is made again with all its room, but not without end", () => {
      const { libc, receive, numbers } = setUp(platform);
      libc.onReceiveMessage = (message) => {
        if (libc.calls.length === 3) return message.deliver(PAYLOAD);
        assert.ok(message.control.length >= 2048);
        message.deliver(new Uint8Array(), new Uint8Array(12), 0x7f);
        return libc.fail(numbers.EINTR);
      };
      assert.deepEqual(receive(), { kind: "data", bytes: PAYLOAD, fds: [] });
      libc.onReceiveMessage = () => libc.fail(numbers.EINTR);
      libc.calls.length = 0;
      assert.deepEqual(receive(), { kind: "error", errno: 4, name: "EINTR" });
      assert.equal(libc.calls.length, INTERRUPTIONS_MAX + 1);
    });

    test("a receive tells nothing there yet from a failure", () => {
      const { libc, receive, numbers } = setUp(platform);
      libc.onReceiveMessage = () => libc.fail(numbers.EAGAIN);
      assert.deepEqual(receive(), { kind: "again" });
      libc.onReceiveMessage = () => libc.fail(numbers.ECONNRESET);
      assert.deepEqual(receive(), { kind: "error", errno: numbers.ECONNRESET, name: "ECONNRESET" });
    });

    test("descriptors that come with the end of a stream are closed", () => {
      const { libc, rights, receive } = setUp(platform);
      libc.onReceiveMessage = (message) => message.deliver(new Uint8Array(), rights([31, 32]));
      assert.deepEqual(receive(), { kind: "eof" });
      assert.deepEqual(libc.closed, [31, 32]);
    });

    test("control data at fault closes every descriptor in it", () => {
      const { layout, libc, rights, receive } = setUp(platform);
      const damaged = rights([31], controlLength(layout, 4 * 16));
      libc.onReceiveMessage = (message) => message.deliver(PAYLOAD, damaged);
      const result = receive();
      assert.equal(result.kind, "violation");
      assert.equal(libc.closed[0], 31);
    });

    test("truncation is a violation even when the descriptors are as many as allowed", () => {
      const { layout, libc, rights, receive } = setUp(platform);
      const { MSG_CTRUNC, MSG_CMSG_CLOEXEC } = layout.constants;
      libc.onReceiveMessage = (message) =>
        message.deliver(PAYLOAD, rights([31]), MSG_CTRUNC | MSG_CMSG_CLOEXEC);
      const reason = "Control data was cut off (MSG_CTRUNC), descriptors that arrived: 1";
      assert.deepEqual(receive(), { kind: "violation", reason, bytes: PAYLOAD });
      assert.deepEqual(libc.closed, [31]);
    });

    test("other flags on a message are no fault", () => {
      const { layout, libc, rights, receive } = setUp(platform);
      libc.onReceiveMessage = (message) =>
        message.deliver(PAYLOAD, rights([31]), 0x40000000 | (0xff & ~layout.constants.MSG_CTRUNC));
      assert.deepEqual(receive(), { kind: "data", bytes: PAYLOAD, fds: [31] });
      assert.deepEqual(libc.closed, []);
    });
  });
}

describe("passing descriptors on darwin, where a receive cannot set close-on-exec", () => {
  test("every received descriptor is set to close on exec by a request without an argument", () => {
    const { layout, libc, rights, receive } = setUp("darwin");
    let seenFlags = 0;
    libc.onReceiveMessage = (message, flags) => {
      seenFlags = flags;
      return message.deliver(PAYLOAD, rights([31]));
    };
    assert.deepEqual(receive(), { kind: "data", bytes: PAYLOAD, fds: [31] });
    assert.equal(seenFlags, layout.constants.MSG_DONTWAIT);
    assert.deepEqual(libc.calls, ["recvmsg 7", `ioctl 31 ${layout.constants.FIOCLEX}`]);
  });

  test("a descriptor that cannot be set is closed with the rest", () => {
    const { layout, libc, rights, numbers } = setUp("darwin");
    const { receive } = createFdPassing(libc, layout, new ErrnoTable("darwin"));
    libc.onReceiveMessage = (message) => message.deliver(PAYLOAD, rights([31, 32, 33]));
    libc.answer = (call) => call.startsWith("ioctl 32") ? libc.fail(numbers.EBADF) : 0;
    assert.deepEqual(receive(7, 4, { fdsMax: 3 }), { kind: "error", errno: numbers.EBADF, name: "EBADF" });
    assert.deepEqual(libc.closed, [31, 32, 33]);
  });

  test("a length left as it was before truncation closes what arrived and nothing else", () => {
    const { layout, libc, rights, receive } = setUp("darwin");
    const sixteen = rights([21, 22, 23, 24, 25], controlLength(layout, 4 * 16));
    libc.onReceiveMessage = (message) => {
      message.control.fill(0x55);
      return message.deliver(PAYLOAD, sixteen, layout.constants.MSG_CTRUNC);
    };
    const reason = "Control data was cut off (MSG_CTRUNC), descriptors that arrived: 5";
    assert.deepEqual(receive(), { kind: "violation", reason, bytes: PAYLOAD });
    assert.deepEqual(libc.closed, [21, 22, 23, 24, 25]);
  });

  test("there is room for as many descriptors as one message can carry", () => {
    const { libc, rights, receive } = setUp("darwin");
    const many = Array.from({ length: 510 }, (_, i) => i + 100);
    libc.onReceiveMessage = (message) => message.deliver(PAYLOAD, rights(many));
    assert.equal(receive().kind, "violation");
    assert.deepEqual(libc.closed, many);
  });
});
