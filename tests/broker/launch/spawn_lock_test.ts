import assert from "node:assert/strict";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import test from "node:test";
import { SpawnLock } from "../../../src/broker/launch/spawn_lock.ts";
import { SpawnLockError, type SpawnLockErrorKind } from "../../../src/broker/launch/spawn_lock_error.ts";
import { countFds, libc } from "../../ffi/native_fixture.ts";
import { makeTempDir } from "../../support/temp_dir.ts";
import { transport } from "../../transport/_transport.ts";

const lockFile = (fd: number) => transport.lockFile(fd);

function failsAs(kind: SpawnLockErrorKind, path: string, run: () => unknown): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof SpawnLockError, String(error));
    assert.deepEqual([error.kind, error.path], [kind, path], error.message);
    return true;
  });
}

test("SpawnLock.acquire() says of a lock that is held that it is, and by its path", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("key.lock");
  const lock = SpawnLock.acquire(path, lockFile);
  failsAs("AlreadyLocked", path, () => SpawnLock.acquire(path, lockFile));
  const other = SpawnLock.acquire(dir.join("other.lock"), lockFile);
  for (const held of [lock, other]) held[Symbol.dispose]();
});

test("SpawnLock is free again when it was disposed; its file stays, for its owner alone", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("key.lock");
  const lock = SpawnLock.acquire(path, lockFile);
  lock.writeNote("a long note of the first holder");
  lock.writeNote("note");
  lock[Symbol.dispose]();
  lock[Symbol.dispose]();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const next = SpawnLock.acquire(path, lockFile);
  assert.equal(next.readNote(), "note");
  next[Symbol.dispose]();
  assert.equal(readFileSync(path, "utf8"), "note");
});

test("SpawnLock.acquire() tells what is wrong with the file, and leaves nothing open or locked", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("key.lock");
  const before = countFds();
  mkdirSync(dir.join("folder"));
  failsAs("Open", dir.join("folder"), () => SpawnLock.acquire(dir.join("folder"), lockFile));
  failsAs("Open", dir.join("none/key.lock"), () => SpawnLock.acquire(dir.join("none/key.lock"), lockFile));
  symlinkSync("target", dir.join("link"));
  failsAs("Open", dir.join("link"), () => SpawnLock.acquire(dir.join("link"), lockFile));
  const failing = () => ({ kind: "failed", detail: "flock gave ENOLCK (37)" } as const);
  failsAs("Lock", path, () => SpawnLock.acquire(path, failing));
  SpawnLock.acquire(path, lockFile)[Symbol.dispose]();
  assert.equal(countFds(), before);
});

test("SpawnLock.acquire() does not take a lock on a file that lost its path", async () => {
  await using dir = await makeTempDir();
  mkdirSync(dir.join("locks"));
  const path = dir.join("locks/key.lock");
  const meanwhile = (act: () => void) => () =>
    SpawnLock.acquire(path, (fd) => {
      act();
      return lockFile(fd);
    });
  failsAs("DeletedOrRecreated", path, meanwhile(() => unlinkSync(path)));
  const recreate = () => {
    unlinkSync(path);
    // Its inode has to be another one.
    writeFileSync(dir.join("locks/new"), "");
    writeFileSync(path, "");
  };
  failsAs("DeletedOrRecreated", path, meanwhile(recreate));
  const hide = () => {
    renameSync(dir.join("locks"), dir.join("moved"));
    writeFileSync(dir.join("locks"), "");
  };
  failsAs("Identity", path, meanwhile(hide));
});

test("transport.lockFile() keeps the lock's descriptor from programs that are started", {
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  await using dir = await makeTempDir();
  const opened = openSync(dir.join("key.lock"), "a+");
  const fd = libc.dup(opened);
  const isKept = () => {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))![1]!;
    return (parseInt(flags, 8) & O_CLOEXEC) !== 0;
  };
  assert.equal(isKept(), false);
  assert.deepEqual(transport.lockFile(fd), { kind: "locked" });
  assert.equal(isKept(), true);
  libc.close(fd);
  closeSync(opened);
  const failed = transport.lockFile(fd);
  assert.ok(failed.kind === "failed" && failed.detail.includes("EBADF"), failed.kind);
});

/** As Linux prints the flags of a descriptor. */
const O_CLOEXEC = 0o2000000;
