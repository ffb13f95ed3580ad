import assert from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import test from "node:test";
import { LifecycleFile, putAside } from "../../../src/broker/lifecycle/lifecycle_file.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const line = (text: string) => new TextEncoder().encode(`${text}\n`);
const linesOf = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test("lines are appended to a file of this user alone, in a directory of this user alone", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("state", "events", "lifecycle.jsonl");
  const file = new LifecycleFile(path);
  assert.ok(!existsSync(path));
  file.append(line("one"));
  file.append(line("two"));
  assert.deepEqual(linesOf(path), ["one", "two"]);
  assert.deepEqual([modeOf(path), modeOf(dir.join("state", "events"))], ["600", "700"]);
});

test("several brokers append to one file, and none takes the lines of another one", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("lifecycle.jsonl");
  const files = [new LifecycleFile(path), new LifecycleFile(path), new LifecycleFile(path)];
  for (let round = 0; round < 20; round++) {
    files.forEach((file, index) => file.append(line(`${index} ${round}`)));
  }
  assert.equal(linesOf(path).length, 60);
  for (const index of files.keys()) {
    const own = linesOf(path).filter((text) => text.startsWith(`${index} `));
    assert.deepEqual(own, Array.from({ length: 20 }, (_, round) => `${index} ${round}`));
  }
});

test("a file that has grown is put aside once, with the line that made it so, and one older file is kept", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("lifecycle.jsonl");
  const files = [new LifecycleFile(path, 100), new LifecycleFile(path, 100)];
  for (let index = 0; index < 25; index++) {
    files[index % 2]!.append(line(`line ${String(index).padStart(4, "0")}`));
  }
  // Ten lines of ten bytes fill a file: two were put aside, and the first of them is gone.
  const numbers = (name: string) => linesOf(name).map((text) => Number(text.slice(5)));
  assert.deepEqual(numbers(`${path}.1`), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  assert.deepEqual(numbers(path), [20, 21, 22, 23, 24]);
  assert.equal(modeOf(`${path}.1`), "600");
});

test("a directory that others may enter is not written to, nor made private behind their back", async () => {
  await using dir = await makeTempDir();
  const open = dir.join("open");
  mkdirSync(open);
  chmodSync(open, 0o755);
  const append = () => new LifecycleFile(`${open}/lifecycle.jsonl`).append(line("one"));
  assert.throws(append, /its mode is 0755, wanted 0700; run chmod 700 on it/);
  assert.ok(!existsSync(`${open}/lifecycle.jsonl`));
  assert.equal(modeOf(open), "755");
});

test("a link in the place of the file is not followed", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("precious"), "precious\n");
  symlinkSync(dir.join("precious"), dir.join("lifecycle.jsonl"));
  assert.throws(() => new LifecycleFile(dir.join("lifecycle.jsonl")).append(line("one")));
  assert.deepEqual(linesOf(dir.join("precious")), ["precious"]);
});

test("a file that another broker has put aside meanwhile is not put aside again, nor is its successor", async () => {
  await using dir = await makeTempDir();
  const path = dir.join("lifecycle.jsonl");
  writeFileSync(path, "old\n".repeat(50));
  const fd = openSync(path, "r");
  renameSync(path, `${path}.1`);
  putAside(path, fd, 100);
  writeFileSync(path, "new\n");
  putAside(path, fd, 100);
  closeSync(fd);
  assert.deepEqual(linesOf(path), ["new"]);
  assert.equal(linesOf(`${path}.1`).length, 50);
});
