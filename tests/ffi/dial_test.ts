import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import net from "node:net";
import process from "node:process";
import { describe, test } from "node:test";
import { createDial } from "../../ffi/dial.ts";
import { ErrnoTable } from "../../ffi/errno.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { FakeLibc, knownLayout } from "./fake_libc.ts";
import { countFds, native } from "./native_fixture.ts";

const ON_LINUX = { skip: process.platform !== "linux" && "only Linux is dialled this way" };

/** Listens, and accepts nobody before the event loop's next turn. */
async function listenAt(path: string, backlog = 16): Promise<AsyncDisposable> {
  const server = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen({ path, backlog }, resolve));
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())) };
}

describe("dial()", ON_LINUX, () => {
  test("connects at once, by a socket that never waits and that no program inherits", async () => {
    await using dir = await makeTempDir();
    await using _server = await listenAt(dir.join("s.sock"));
    const before = countFds();
    const dialled = native.dial(dir.join("s.sock"));
    assert.ok(dialled.ok, "connected");
    assert.equal(native.sockets.hangUp(dialled.fd).kind, "connected");
    const flags = /flags:\t0?(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${dialled.fd}`, "utf8"))![1]!;
    // O_RDWR, O_NONBLOCK and O_CLOEXEC.
    assert.equal(Number.parseInt(flags, 8) & 0o2004002, 0o2004002, flags);
    native.sockets.closeFd(dialled.fd);
    assert.equal(countFds(), before);
  });

  test("says why it did not, and leaves no descriptor", async () => {
    await using dir = await makeTempDir();
    const before = countFds();
    const nameOf = (path: string) => {
      const dialled = native.dial(path);
      return dialled.ok ? "connected" : dialled.name;
    };
    assert.equal(nameOf(dir.join("none")), "ENOENT");
    assert.equal(nameOf(dir.path), "ECONNREFUSED");
    for (const path of ["", "a\0b", `/${"x".repeat(107)}`]) assert.equal(nameOf(path), "ENAMETOOLONG", path);
    assert.equal(nameOf(`/${"x".repeat(106)}`), "ENOENT");
    assert.equal(countFds(), before);
  });

  test("does not wait where many wait to be accepted", async () => {
    await using dir = await makeTempDir();
    await using _server = await listenAt(dir.join("s.sock"), 1);
    const fds: number[] = [];
    for (let dialled = native.dial(dir.join("s.sock"));; dialled = native.dial(dir.join("s.sock"))) {
      if (!dialled.ok) {
        assert.equal(dialled.name, "EAGAIN");
        break;
      }
      fds.push(dialled.fd);
      assert.ok(fds.length < 5_000, "the backlog has an end");
    }
    for (const fd of fds) native.sockets.closeFd(fd);
  });
});

describe("the calls behind dial()", () => {
  function setUp(platform: "linux" | "darwin") {
    const layout = knownLayout(platform);
    const libc = new FakeLibc(layout);
    const errno = new ErrnoTable(platform);
    return { libc, constants: layout.constants, errno, dial: createDial(libc, layout, errno) };
  }

  test("take the family, the path and its closing zero", () => {
    const { libc, constants, dial } = setUp("linux");
    const addresses: Uint8Array[] = [];
    libc.answer = (call, address) => {
      if (address !== undefined) addresses.push(address);
      return call.startsWith("socket") ? 40 : 0;
    };
    assert.deepEqual(dial("/a/é"), { ok: true, fd: 40 });
    const { SOCK_STREAM, SOCK_CLOEXEC, SOCK_NONBLOCK } = constants;
    assert.deepEqual(libc.calls, [
      `socket 1 ${SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK} 0`,
      "connect 40 8",
    ]);
    assert.deepEqual(addresses, [Uint8Array.of(1, 0, 0x2f, 0x61, 0x2f, 0xc3, 0xa9, 0)]);
  });

  test("keep the address of a path, but not of any number of them", () => {
    const { libc, dial } = setUp("linux");
    const seen: Uint8Array[] = [];
    libc.answer = (call, address) => call.startsWith("socket") ? 40 : (seen.push(address!), 0);
    dial("/first");
    dial("/first");
    assert.ok(seen[0] === seen[1], "kept");
    for (let i = 0; i < 16; i++) dial(`/other-${i}`);
    dial("/first");
    assert.ok(seen[0] !== seen.at(-1), "dropped");
    assert.deepEqual(seen[0], seen.at(-1));
  });

  test("close a socket that cannot be connected, and no other", () => {
    const { libc, errno, dial } = setUp("linux");
    libc.answer = (call) => call.startsWith("connect") ? libc.fail(errno.numbers.EACCES) : 41;
    assert.deepEqual(dial("/x"), { ok: false, errno: errno.numbers.EACCES, name: "EACCES" });
    assert.deepEqual(libc.closed, [41]);
    libc.answer = () => libc.fail(errno.numbers.EMFILE);
    assert.deepEqual(dial("/x"), { ok: false, errno: errno.numbers.EMFILE, name: "EMFILE" });
    assert.deepEqual(libc.closed, [41]);
  });

  test("are not made on darwin", () => {
    const { libc, dial } = setUp("darwin");
    const dialled = dial("/x");
    assert.ok(!dialled.ok, "not connected");
    assert.equal(dialled.name, "ENOSYS");
    assert.deepEqual(libc.calls, []);
  });
});
