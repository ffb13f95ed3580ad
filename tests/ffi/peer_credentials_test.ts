import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { describe, test } from "node:test";
import { ErrnoTable } from "../../ffi/errno.ts";
import { createPeerCredentials } from "../../ffi/peer_credentials.ts";
import { FakeLibc, fdData, knownLayout } from "./fake_libc.ts";
import { fdTest, layout, native, withPair } from "./native_fixture.ts";

function setUp(platform: "linux" | "darwin") {
  const libc = new FakeLibc(knownLayout(platform));
  const errno = new ErrnoTable(platform);
  return { libc, numbers: errno.numbers, ask: createPeerCredentials(libc, libc.layout, errno) };
}

describe("peerCredentials()", () => {
  fdTest("names this process at both ends of a pair", () => {
    withPair((near, far) => {
      const pid = layout.platform === "linux" ? process.pid : 0;
      const peer = { pid, uid: native.effectiveUserId(), gid: process.getegid?.() };
      assert.deepEqual(native.peerCredentials(near), { ok: true, peer });
      assert.deepEqual(native.peerCredentials(far), { ok: true, peer });
    });
  });

  fdTest("fails for a file that is no socket", () => {
    const file = openSync("/dev/null", "r");
    assert.deepEqual(native.peerCredentials(file), native.errno.failure(native.errno.numbers.ENOTSOCK));
    closeSync(file);
  });
});

describe("peerCredentials() of linux", () => {
  test("reads process, user and group where the kernel puts them, ids above 2^31 too", () => {
    const { libc, ask } = setUp("linux");
    libc.answer = (_call, value, length) => {
      assert.deepEqual([...length!], [12, 0, 0, 0]);
      value!.set(fdData([4711, -2, 20]));
      return 0;
    };
    assert.deepEqual(ask(5), { ok: true, peer: { pid: 4711, uid: 0xfffffffe, gid: 20 } });
    assert.deepEqual(libc.calls, ["getsockopt 5 1 17"]);
  });

  test("a process of another container has the id 0: not known", () => {
    const { libc, ask } = setUp("linux");
    for (const pid of [0, -1]) {
      libc.answer = (_call, value) => (value!.set(fdData([pid, 1000, 1000])), 0);
      assert.deepEqual(ask(5), { ok: true, peer: { pid: 0, uid: 1000, gid: 1000 } });
    }
  });

  test("a socket without a peer has no credentials, whatever an earlier one had", () => {
    const { libc, ask } = setUp("linux");
    libc.answer = (_call, value) => (value!.set(fdData([4711, 0, 0])), 0);
    assert.ok(ask(5).ok);
    libc.answer = (_call, value) => (value!.set(fdData([0, -1, -1])), 0);
    assert.deepEqual(ask(5), { ok: false, errno: 107, name: "ENOTCONN" });
  });

  test("a shorter answer is no answer", () => {
    const { libc, ask } = setUp("linux");
    libc.answer = (_call, value, length) => {
      value!.set(fdData([4711, 0, 0]));
      length![0] = 4;
      return 0;
    };
    assert.deepEqual(ask(5), { ok: false, errno: 22, name: "EINVAL" });
  });

  test("a refusal is a failure with its error", () => {
    const { libc, ask, numbers } = setUp("linux");
    libc.answer = () => libc.fail(numbers.ENOPROTOOPT);
    assert.deepEqual(ask(5), { ok: false, errno: 92, name: "ENOPROTOOPT" });
  });
});

describe("peerCredentials() of darwin", () => {
  test("asks for user and group, and knows no process", () => {
    const { libc, ask } = setUp("darwin");
    libc.answer = (_call, user, group) => {
      user!.set(fdData([501]));
      group!.set(fdData([20]));
      return 0;
    };
    assert.deepEqual(ask(5), { ok: true, peer: { pid: 0, uid: 501, gid: 20 } });
    assert.deepEqual(libc.calls, ["getpeereid 5"]);
  });

  test("a refusal is a failure with its error", () => {
    const { libc, ask, numbers } = setUp("darwin");
    libc.answer = () => libc.fail(numbers.ENOTCONN);
    assert.deepEqual(ask(5), { ok: false, errno: 57, name: "ENOTCONN" });
  });
});
