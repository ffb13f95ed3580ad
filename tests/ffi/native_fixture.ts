import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { controlSpace, type Layout, layoutFor } from "../../ffi/layout.ts";
import type { Libc } from "../../ffi/libc.ts";
import { loadLibc } from "../../ffi/load_libc.ts";
import { MessageArena } from "../../ffi/message.ts";
import { composeNative, type Native } from "../../ffi/native.ts";

/** The layout of the machine the tests run on. */
export const layout: Layout = requireLayout();
const loaded = await loadLibc();
assert.ok(loaded.ok, loaded.ok ? "" : `These tests need native calls: ${loaded.reason}`);
/** The C library of this process. */
export const libc: Libc = loaded.libc;
/** The native calls over it. */
export const native: Native = composeNative(libc, layout, loaded.binding);

function requireLayout(): Layout {
  const found = layoutFor(process.platform, process.arch);
  assert.ok(found, `No layout for ${process.platform} ${process.arch}`);
  return found;
}

/** How many descriptors this process has open (and one for the listing, always the same). */
export function countFds(): number {
  return readdirSync(layout.platform === "linux" ? "/proc/self/fd" : "/dev/fd").length;
}

/** A test that requires that as many descriptors are open afterwards as before. */
export function fdTest(title: string, run: () => void): void {
  test(title, () => {
    const before = countFds();
    run();
    assert.equal(countFds() - before, 0, "descriptors left open");
  });
}

/** A leak-checked test of what only the Linux kernel does this way, or only shows there. */
export function linuxTest(title: string, run: () => void): void {
  if (layout.platform === "linux") fdTest(title, run);
}

/** Runs something with two connected sockets, and closes those of the two that it did not. */
export function withPair(run: (near: number, far: number, disown: (fd: number) => void) => void): void {
  const pair = native.socketPair();
  assert.ok(pair.ok, "socketpair");
  const open = new Set<number>(pair.fds);
  try {
    run(...pair.fds, (fd) => open.delete(fd));
  } finally {
    for (const fd of open) libc.close(fd);
  }
}

/** Closes a descriptor that must be open. */
export function close(...fds: readonly number[]): void {
  for (const fd of fds) assert.deepEqual(native.sockets.closeFd(fd), { ok: true }, `close ${fd}`);
}

/** Sends any number of descriptors in one message, as a peer may that does not keep to the protocol. */
export function sendManyFds(socketFd: number, payload: Uint8Array, fds: readonly number[]): number {
  const { lengthOffset, levelOffset, typeOffset, dataOffset } = layout.control;
  const room = controlSpace(layout, 4 * fds.length);
  const arena = new MessageArena(libc, layout, room, payload.length);
  arena.payload.set(payload);
  arena.control.setUint32(lengthOffset, dataOffset + 4 * fds.length, true);
  arena.control.setInt32(levelOffset, layout.constants.SOL_SOCKET, true);
  arena.control.setInt32(typeOffset, layout.constants.SCM_RIGHTS, true);
  fds.forEach((fd, i) => arena.control.setInt32(dataOffset + 4 * i, fd, true));
  arena.prepare(payload.length, room);
  return libc.sendmsg(socketFd, arena.bytes, layout.constants.MSG_DONTWAIT);
}

/** The status flag of Linux for a socket whose calls do not wait. */
export const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/** Whether a descriptor is closed when another program is started. Linux only. */
export function closesOnExec(fd: number): boolean {
  return (flagsOf(fd) & O_CLOEXEC) !== 0;
}

/** Whether calls on a descriptor return at once instead of waiting. Linux only. */
export function isNonBlocking(fd: number): boolean {
  return (flagsOf(fd) & O_NONBLOCK) !== 0;
}

function flagsOf(fd: number): number {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
  assert.ok(flags, `flags of ${fd}`);
  return parseInt(flags, 8);
}

/** So many bytes, each with the same value. */
export function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}
