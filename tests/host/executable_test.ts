import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, realpathSync, statSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import process from "node:process";
import test from "node:test";
import { blake3 } from "@noble/hashes/blake3.js";
import { BrokerError } from "../../src/errors.ts";
import { ExecutableHasher, ownExecutablePath } from "../../src/host/executable.ts";
import { toHex } from "../support/golden.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { fakeSystem } from "./_fake_system.ts";

/** A clock that sees every file as written long ago. */
const later = () => Date.now() + 60_000;

test("ExecutableHasher.digest() hashes a file that takes several steps", async () => {
  await using dir = await makeTempDir();
  const content = Uint8Array.from({ length: 600_001 }, (_, index) => index * 7);
  await writeFile(dir.join("exe"), content);
  const hasher = new ExecutableHasher();
  const sha256 = toHex(new Uint8Array(createHash("sha256").update(content).digest()));
  assert.equal(toHex(await hasher.digest(dir.join("exe"), "sha256")), sha256);
  assert.equal(toHex(await hasher.digest(dir.join("exe"), "blake3")), toHex(blake3(content)));
});

test("ExecutableHasher.digest() reads a file once for callers at the same time", async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.join("exe"), "");
  // So many steps that the last caller has opened the file long before the first one is through.
  await truncate(dir.join("exe"), 64 * 1024 * 1024);
  const hasher = new ExecutableHasher();
  const [first, second] = await Promise.all(
    [1, 2, 3].map(() => hasher.digest(dir.join("exe"), "blake3")),
  );
  assert.equal(hasher.hashedCount, 1);
  first!.fill(0);
  assert.notDeepEqual(second, first);
});

test("ExecutableHasher.digest() keeps a digest until the file changes", async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.join("exe"), "content");
  const hasher = new ExecutableHasher(later);
  const before = toHex(await hasher.digest(dir.join("exe"), "blake3"));
  assert.equal(toHex(await hasher.digest(dir.join("exe"), "blake3")), before);
  assert.equal(hasher.hashedCount, 1);
  await writeFile(dir.join("exe"), "changed content");
  assert.notEqual(toHex(await hasher.digest(dir.join("exe"), "blake3")), before);
  assert.equal(hasher.hashedCount, 2);
});

test("ExecutableHasher.digest() does not keep the digest of a file written just now", async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.join("exe"), "content");
  const hasher = new ExecutableHasher();
  await hasher.digest(dir.join("exe"), "sha256");
  await hasher.digest(dir.join("exe"), "sha256");
  assert.equal(hasher.hashedCount, 2);
});

test("ExecutableHasher.digest() keeps a bounded number of digests", async () => {
  await using dir = await makeTempDir();
  const paths = Array.from({ length: 65 }, (_, index) => dir.join(`exe-${index}`));
  const hasher = new ExecutableHasher(later);
  for (const path of paths) {
    await writeFile(path, path);
    await hasher.digest(path, "sha256");
  }
  await hasher.digest(paths[64]!, "sha256");
  await hasher.digest(paths[1]!, "sha256");
  assert.equal(hasher.hashedCount, 65);
  await hasher.digest(paths[0]!, "sha256");
  assert.equal(hasher.hashedCount, 66);
});

test("ExecutableHasher.digest() lets the event loop turn while it hashes", async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.join("exe"), "");
  await truncate(dir.join("exe"), 16 * 1024 * 1024);
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  turn();
  await new ExecutableHasher().digest(dir.join("exe"), "blake3");
  isDone = true;
  assert.ok(turns >= 60, `${turns} turns for 64 steps`);
});

test("ExecutableHasher.digest() refuses a file that changes meanwhile", async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.join("exe"), "content");
  const hasher = new ExecutableHasher(() => {
    appendFileSync(dir.join("exe"), "more");
    return later();
  });
  await assert.rejects(hasher.digest(dir.join("exe"), "sha256"), (error) => {
    assert.ok(BrokerError.is(error) && error.code === "os");
    assert.match((error as Error).message, /changed while it was read/);
    return true;
  });
});

test("ExecutableHasher.digest() says what is wrong with a file", async () => {
  await using dir = await makeTempDir();
  await assert.rejects(new ExecutableHasher().digest(dir.join("none"), "sha256"), (error) => {
    assert.ok(BrokerError.is(error) && error.code === "os");
    assert.match((error as Error).message, /No such file or directory \(os error \d+\)$/);
    return true;
  });
});

test("ownExecutablePath() is the running runtime", async () => {
  const path = await ownExecutablePath();
  assert.equal(realpathSync(path), realpathSync(process.execPath));
  assert.ok(statSync(path).size > 1_000_000);
});

test("ownExecutablePath() falls back to the runtime's own record", async () => {
  assert.equal(await ownExecutablePath(fakeSystem({ platform: "linux" })), process.execPath);
  assert.equal(await ownExecutablePath(fakeSystem({ platform: "macos" })), process.execPath);
  const links = { "/proc/self/exe": "/opt/runtime" };
  assert.equal(await ownExecutablePath(fakeSystem({ platform: "linux", links })), "/opt/runtime");
});
