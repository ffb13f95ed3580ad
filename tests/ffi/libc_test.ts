import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { describe, test } from "node:test";
import type { Libc } from "../../ffi/libc.ts";
import { currentHost, type LibcHost, openLibc } from "../../ffi/load_libc.ts";
import { composeNative } from "../../ffi/native.ts";
import { selfTest } from "../../ffi/self_test.ts";
import { countFds, filled, layout, native } from "./native_fixture.ts";

const ERRNO_LOOPS = 20_000;
const { MSG_DONTWAIT } = layout.constants;

/** Every way this runtime has to call C: Node with node:ffi has koffi too. */
async function openAll(): Promise<ReadonlyMap<string, Libc>> {
  const host = currentHost();
  const hosts: readonly LibcHost[] = host.runtime === "node"
    ? [host, { ...host, loadNodeFfi: () => undefined }]
    : [host];
  const results = await Promise.all(hosts.map(openLibc));
  return new Map(results.map((result) => {
    assert.ok(result.ok, result.ok ? "" : result.reason);
    return [result.binding, result.libc];
  }));
}

function withPair(libc: Libc, run: (near: number, far: number) => void): void {
  const pair = composeNative(libc, layout, "deno").socketPair();
  assert.ok(pair.ok);
  const before = countFds();
  run(...pair.fds);
  for (const fd of pair.fds) assert.equal(libc.close(fd), 0);
  assert.equal(countFds() - before, -2);
}

for (const [binding, libc] of await openAll()) {
  describe(`C library through ${binding}`, () => {
    test("errno belongs to the call before it, whatever the collector does", () => {
      withPair(libc, (near) => {
        const { EAGAIN, EBADF, ENOTSOCK, EINVAL } = native.errno.numbers;
        const bytes = new Uint8Array(new ArrayBuffer(64));
        const notSocket = openSync("/dev/null", "r");
        const failing: readonly (readonly [number, () => number])[] = [
          [EAGAIN, () => libc.recv(near, bytes, 64, MSG_DONTWAIT)],
          [EBADF, () => libc.recv(0x7ffffffe, bytes, 64, MSG_DONTWAIT)],
          [ENOTSOCK, () => libc.recv(notSocket, bytes, 64, MSG_DONTWAIT)],
          [EINVAL, () => libc.shutdown(near, 4242)],
        ];
        let churn: Uint8Array[] = [];
        let misses = 0;
        for (let i = 0; i < ERRNO_LOOPS; i++) {
          const [wanted, call] = failing[i % failing.length]!;
          const result = call();
          const errno = libc.errno();
          if (result !== -1 || errno !== wanted) misses++;
          if (i % 64 === 0) churn = churn.length > 40 ? [] : [...churn, new Uint8Array(70_000)];
        }
        closeSync(notSocket);
        assert.equal(misses, 0);
      });
    });

    test("address() is the first byte's, also of a part of a buffer", () => {
      const whole = new Uint8Array(new ArrayBuffer(64));
      const base = libc.address(whole);
      assert.equal(typeof base, "bigint");
      assert.ok(base > 0xffffn);
      assert.equal(libc.address(whole.subarray(9)) - base, 9n);
      assert.equal(libc.address(new Uint8Array(whole.buffer, 24, 8)) - base, 24n);
    });

    test("bytes go out and come in where they are, of small arrays and parts of larger ones too", () => {
      withPair(libc, (near, far) => {
        const large = Uint8Array.from({ length: 1000 }, (_, i) => i);
        const sources = [Uint8Array.of(1, 2, 3), large.subarray(100, 120), Buffer.from("pooled"), large];
        for (const source of sources) {
          assert.equal(libc.send(near, source, source.length, MSG_DONTWAIT), source.length);
          const target = filled(1200, 0xee);
          assert.equal(libc.recv(far, target.subarray(7, 1100), 1093, MSG_DONTWAIT), source.length);
          const wanted = filled(1200, 0xee);
          wanted.set(source, 7);
          assert.deepEqual(target, wanted);
        }
        const small = Uint8Array.of(0, 0, 9);
        assert.equal(libc.send(near, large.subarray(1, 3), 2, MSG_DONTWAIT), 2);
        assert.equal(libc.recv(far, small, 2, MSG_DONTWAIT), 2);
        assert.deepEqual([...small], [1, 2, 9]);
      });
    });

    test("results are plain numbers", () => {
      const results = {
        send: libc.send(-1, Uint8Array.of(1), 1, MSG_DONTWAIT),
        recv: libc.recv(-1, Uint8Array.of(1), 1, MSG_DONTWAIT),
        sendmsg: libc.sendmsg(-1, new Uint8Array(layout.message.bytes), 0),
        recvmsg: libc.recvmsg(-1, new Uint8Array(layout.message.bytes), 0),
        getsockopt: libc.getsockopt(-1, 1, 1, new Uint8Array(4), new Uint8Array(4)),
        getpeereid: libc.getpeereid?.(-1, new Uint8Array(4), new Uint8Array(4)) ?? -1,
        close: libc.close(-1),
        dup: libc.dup(-1),
        dup2: libc.dup2(-1, -1),
        fcntl: libc.fcntl?.(-1, 1, 0) ?? -1,
        socket: libc.socket?.(-1, 1, 0) ?? -1,
        connect: libc.connect?.(-1, new Uint8Array(new ArrayBuffer(4)), 4) ?? -1,
        ioctl: libc.ioctl(-1, layout.constants.FIOCLEX),
        shutdown: libc.shutdown(-1, 2),
        socketpair: libc.socketpair(-1, 1, 0, new Uint8Array(8)),
      };
      for (const [name, result] of Object.entries(results)) assert.strictEqual(result, -1, name);
    });

    test("poll() answers at once", () => {
      withPair(libc, (near, far) => {
        const entry = new Uint8Array(new ArrayBuffer(layout.poll.bytes));
        const view = new DataView(entry.buffer);
        view.setInt32(layout.poll.fdOffset, far, true);
        view.setInt16(layout.poll.eventsOffset, 1, true);
        assert.equal(libc.poll(entry, 1), 0);
        assert.equal(libc.send(near, Uint8Array.of(1), 1, MSG_DONTWAIT), 1);
        assert.equal(libc.poll(entry, 1), 1);
        assert.equal(view.getInt16(layout.poll.seenOffset, true), 1);
      });
    });

    test("names the user of this process", () => {
      assert.equal(libc.getuid(), process.getuid?.());
      assert.equal(libc.geteuid(), process.geteuid?.());
    });

    test("offers a variadic function with an argument only where that is safe", () => {
      assert.equal(libc.fcntl === null, layout.platform === "darwin");
      assert.equal(libc.getpeereid === null, layout.platform === "linux");
    });

    test("passes the self-test", () => {
      const before = countFds();
      assert.deepEqual(selfTest(composeNative(libc, layout, "deno"), process.pid), { ok: true });
      assert.equal(countFds(), before);
    });
  });
}
