import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { ErrnoTable, INTERRUPTIONS_MAX } from "../../ffi/errno.ts";
import { createProcessWatch } from "../../ffi/process_watch.ts";
import { until } from "../support/waiting.ts";
import { FakeLibc, knownLayout } from "./fake_libc.ts";
import { close, layout, linuxTest, native } from "./native_fixture.ts";

const { processWatch } = native;

function openWatch(pid: number): number {
  const opened = processWatch.open(pid);
  assert.ok(opened.ok, opened.ok ? "" : opened.name);
  return opened.fd;
}

/** Blocks this thread, so that the runtime cannot ask for its child's status meanwhile. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe("a watched process", { skip: layout.platform !== "linux" && "a call of Linux" }, () => {
  linuxTest("that runs has not ended: this one", () => {
    const fd = openWatch(process.pid);
    for (let i = 0; i < 3; i++) assert.equal(processWatch.hasEnded(fd), false);
    close(fd);
  });

  linuxTest("that nobody has is no process to watch", () => {
    const opened = processWatch.open(4_194_303);
    assert.ok(!opened.ok);
    assert.equal(opened.name, "ESRCH");
  });

  test("has ended when it was killed, while its parent has not asked for its status yet", async () => {
    const child = spawn("/bin/cat", [], { stdio: ["pipe", "ignore", "ignore"] });
    const exited = new Promise((resolve) => child.once("close", resolve));
    const fd = openWatch(child.pid!);
    assert.equal(processWatch.hasEnded(fd), false);
    process.kill(child.pid!, "SIGKILL");
    // No turn of the event loop in here: what died stays a zombie.
    const end = performance.now() + 10_000;
    while (!processWatch.hasEnded(fd) && performance.now() < end) stall(1);
    assert.equal(processWatch.hasEnded(fd), true);
    await exited;
    assert.equal(processWatch.hasEnded(fd), true, "and stays so when it is gone");
    close(fd);
  });

  test("stays ended when others have started since", async () => {
    const child = spawn("/bin/true", { stdio: "ignore" });
    const exited = new Promise((resolve) => child.once("close", resolve));
    const opened = processWatch.open(child.pid!);
    await exited;
    if (!opened.ok) return assert.equal(opened.name, "ESRCH");
    await until("its end", () => processWatch.hasEnded(opened.fd));
    for (let i = 0; i < 5; i++) {
      spawnSync("/bin/true");
      assert.equal(processWatch.hasEnded(opened.fd), true);
    }
    close(opened.fd);
  });
});

describe("the calls", () => {
  test("open by number and without flags, and ask without waiting", () => {
    const known = knownLayout("linux");
    const libc = new FakeLibc(known);
    const watch = createProcessWatch(libc, known, new ErrnoTable("linux"));
    libc.answer = () => 9;
    assert.deepEqual(watch.open(77), { ok: true, fd: 9 });
    libc.answer = () => 0;
    assert.equal(watch.hasEnded(9), false);
    libc.answer = () => 1;
    assert.equal(watch.hasEnded(9), true);
    assert.deepEqual(libc.calls, ["syscall 434 77 0", "poll 1", "poll 1"]);
  });

  test("that are interrupted are made again, but not without end; another failure is an end", () => {
    const known = knownLayout("linux");
    const libc = new FakeLibc(known);
    const errno = new ErrnoTable("linux");
    const watch = createProcessWatch(libc, known, errno);
    libc.answer = () => libc.calls.length === 3 ? 0 : libc.fail(errno.numbers.EINTR);
    assert.equal(watch.hasEnded(9), false);
    libc.calls.length = 0;
    libc.answer = () => libc.fail(errno.numbers.EINTR);
    assert.equal(watch.hasEnded(9), true);
    assert.equal(libc.calls.length, INTERRUPTIONS_MAX + 1);
    libc.answer = () => libc.fail(errno.numbers.EBADF);
    assert.equal(watch.hasEnded(9), true);
  });

  test("that fail say why, and a system without them says so", () => {
    const known = knownLayout("linux");
    const libc = new FakeLibc(known);
    const errno = new ErrnoTable("linux");
    libc.answer = () => libc.fail(errno.numbers.EMFILE);
    const failed = createProcessWatch(libc, known, errno).open(77);
    assert.equal(!failed.ok && failed.name, "EMFILE");
    const mac = knownLayout("darwin");
    const elsewhere = createProcessWatch(new FakeLibc(mac), mac, new ErrnoTable("darwin"));
    assert.deepEqual(elsewhere.open(77), { ok: false, name: "unsupported" });
  });
});
