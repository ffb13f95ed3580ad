import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { verifyNative } from "../../ffi/native.ts";
import { selfTest, type SelfTestParts } from "../../ffi/self_test.ts";
import { fdTest, native } from "./native_fixture.ts";

const refusal = { ok: false, errno: 1, name: "EPERM" } as const;

/** The real calls, but closing something that is not open is noticed. */
const sockets: SelfTestParts["sockets"] = {
  ...native.sockets,
  closeFd(fd) {
    const result = native.sockets.closeFd(fd);
    assert.deepEqual(result, { ok: true }, "closed twice");
    return result;
  },
};

function rejects(parts: Partial<SelfTestParts>, reason: RegExp, processId: number = process.pid): void {
  const result = selfTest({ ...native, sockets, ...parts }, processId);
  assert.ok(!result.ok, "the fault went unnoticed");
  assert.match(result.reason, reason);
}

describe("selfTest()", () => {
  fdTest("passes here", () => {
    assert.deepEqual(selfTest({ ...native, sockets }, process.pid), { ok: true });
  });

  fdTest("notices that no socket pair can be made, the first or the second", () => {
    let pairs = 0;
    rejects({ socketPair: () => refusal }, /^socketpair returned EPERM$/);
    rejects(
      { socketPair: () => pairs++ === 0 ? native.socketPair() : refusal },
      /^socketpair returned EPERM$/,
    );
  });

  fdTest("notices that errno is not read", () => {
    const receive = () => ({ kind: "error", errno: 0, name: "errno 0" }) as const;
    rejects({ fdPassing: { ...native.fdPassing, receive } }, /empty socket answered "error", wanted "again"/);
  });

  fdTest("notices a descriptor that is not sent", () => {
    const sendFd = () => ({ ...refusal, bytesSent: 0, isBackpressure: false });
    rejects({ fdPassing: { ...native.fdPassing, sendFd } }, /^sendmsg with a descriptor returned EPERM$/);
    rejects(
      { fdPassing: { ...native.fdPassing, sendFd: () => ({ ok: true }) } },
      /answered "again", wanted "data"/,
    );
  });

  fdTest(
    "notices bytes that arrive without the descriptor, and a descriptor that arrives with other bytes",
    () => {
      const { sendFd } = native.fdPassing;
      const withoutFd: typeof sendFd = (socketFd, payload) => {
        assert.equal(native.sockets.sendBytes(socketFd, payload).kind, "sent");
        return { ok: true };
      };
      const otherBytes: typeof sendFd = (socketFd, payload, fd) => sendFd(socketFd, payload.toReversed(), fd);
      rejects({ fdPassing: { ...native.fdPassing, sendFd: withoutFd } }, /arrived without it$/);
      rejects({ fdPassing: { ...native.fdPassing, sendFd: otherBytes } }, /arrived with other bytes$/);
    },
  );

  fdTest("notices a passed descriptor that is another one", () => {
    const { sendFd } = native.fdPassing;
    const wrong: typeof sendFd = (socketFd, payload) => sendFd(socketFd, payload, socketFd);
    rejects({ fdPassing: { ...native.fdPassing, sendFd: wrong } }, /answered "eof", wanted the byte$/);
  });

  fdTest("notices credentials that are refused, another user's or another process's", () => {
    const { effectiveUserId } = native;
    const peer = { pid: 0, uid: effectiveUserId(), gid: 0 };
    rejects({ peerCredentials: () => refusal }, /peer credentials returned EPERM$/);
    rejects({ peerCredentials: () => ({ ok: true, peer: { ...peer, uid: peer.uid + 1 } }) }, /another user/);
    rejects({ peerCredentials: () => ({ ok: true, peer: { ...peer, pid: 7 } }) }, /process 7, wanted 8$/, 8);
    const unknownProcess = { ...native, peerCredentials: () => ({ ok: true, peer }) as const };
    assert.deepEqual(selfTest(unknownProcess, 8), { ok: true });
  });
});

describe("verifyNative()", () => {
  test("lets working calls through", () => {
    assert.deepEqual(verifyNative(() => native, process.pid), { ok: true, native });
  });

  test("holds calls back that fail the self-test, and says which binding", () => {
    const broken = { ...native, peerCredentials: () => refusal };
    assert.deepEqual(verifyNative(() => broken, process.pid), {
      ok: false,
      reason: `Native calls do not work here (${native.binding}): Asking for peer credentials returned EPERM`,
    });
  });

  fdTest("turns a throw into a reason", () => {
    const compose = () => {
      throw new Error("no such symbol");
    };
    const result = verifyNative(compose, process.pid);
    assert.deepEqual(result, { ok: false, reason: "Native calls do not work here: Error: no such symbol" });
    const peerCredentials = () => {
      throw new Error("not permitted");
    };
    const thrown = verifyNative(() => ({ ...native, peerCredentials }), process.pid);
    assert.deepEqual(thrown, { ok: false, reason: "Native calls do not work here: Error: not permitted" });
  });
});
