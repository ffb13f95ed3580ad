import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { writeFileAtomically } from "../../src/host/atomic_file.ts";
import { currentRuntime, runtimeCommand } from "../support/runtimes.ts";
import { startProcess } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";

/** Content that shows whether it is whole: one letter, repeated. */
const whole = (letter: string) => letter.repeat(100_000);

function assertWhole(path: string): string {
  const content = readFileSync(path, "utf8");
  assert.equal(content, whole(content[0]!), "the file is torn");
  return content[0]!;
}

test("writeFileAtomically() writes a file for the user alone and leaves nothing else", async () => {
  await using dir = await makeTempDir();
  await writeFileAtomically(dir.join("new", "sub", "file"), "é");
  assert.deepEqual(readdirSync(dir.join("new", "sub")), ["file"]);
  assert.deepEqual([...readFileSync(dir.join("new", "sub", "file"))], [0xc3, 0xa9]);
  if (process.platform !== "win32") {
    assert.equal(statSync(dir.join("new", "sub", "file")).mode & 0o777, 0o600);
  }
  await writeFileAtomically(dir.join("new", "sub", "file"), Uint8Array.of(1, 2));
  assert.deepEqual([...readFileSync(dir.join("new", "sub", "file"))], [1, 2]);
});

test("writeFileAtomically() keeps the old file when writing fails", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("file"), "old");
  const unwritable = { length: 3 } as unknown as Uint8Array;
  await assert.rejects(writeFileAtomically(dir.join("file"), unwritable));
  assert.deepEqual(readdirSync(dir.path), ["file"]);
  assert.equal(readFileSync(dir.join("file"), "utf8"), "old");
});

test("writeFileAtomically() removes its temporary file when the name cannot be taken", async () => {
  await using dir = await makeTempDir();
  mkdirSync(dir.join("file"));
  await assert.rejects(writeFileAtomically(dir.join("file"), "new"));
  assert.deepEqual(readdirSync(dir.path), ["file"]);
  assert.ok(statSync(dir.join("file")).isDirectory());
});

test("writeFileAtomically() survives any number of writers at once", async () => {
  await using dir = await makeTempDir();
  const letters = [..."abcdefghijklmnopqrst"];
  await writeFileAtomically(dir.join("file"), whole("-"));
  let isDone = false;
  const reader = (async () => {
    while (!isDone) {
      assertWhole(dir.join("file"));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await Promise.all(letters.map((letter) => writeFileAtomically(dir.join("file"), whole(letter))));
  isDone = true;
  await reader;
  assert.ok(letters.includes(assertWhole(dir.join("file"))));
  assert.deepEqual(readdirSync(dir.path), ["file"]);
});

test("writeFileAtomically() of a killed writer leaves a whole file", async () => {
  await using dir = await makeTempDir();
  const runtime = currentRuntime === "node" ? "node24" : currentRuntime;
  await using writer = startProcess(
    runtimeCommand(runtime, "tests/host/_endless_writer.ts", [dir.join("file")]),
  );
  await writer.waitForLine((line) => line === "written 20", { deadlineMs: 30_000 });
  writer.killGroup("SIGKILL");
  await writer.exit;
  assert.ok("ab".includes(assertWhole(dir.join("file"))));
  // What a killed writer leaves behind does not hinder the next one.
  await writeFileAtomically(dir.join("file"), whole("c"));
  assert.equal(assertWhole(dir.join("file")), "c");
});
