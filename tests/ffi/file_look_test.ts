import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { createFileLook } from "../../ffi/file_look.ts";
import { layoutFor } from "../../ffi/layout.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { native } from "../transport/_transport.ts";
import { FakeLibc } from "./fake_libc.ts";

const skip = process.platform !== "linux" && "there is no such call elsewhere";

test(
  "a file looks the same until something about it changes, and never like another one",
  { skip },
  async () => {
    await using dir = await makeTempDir();
    const path = dir.join("file");
    writeFileSync(path, "12345");
    const changes: [string, () => void][] = [
      ["its size", () => truncateSync(path, 4)],
      ["its mode", () => chmodSync(path, 0o640)],
      ["its times", () => utimesSync(path, 1, 2)],
      ["its inode", () => (writeFileSync(dir.join("new"), "1234"), renameSync(dir.join("new"), path))],
    ];
    for (const [what, change] of changes) {
      const before = native.fileLook(path);
      assert.ok(before !== undefined);
      assert.deepEqual(native.fileLook(path), before, `the same before ${what} changes`);
      assert.equal(native.fileLook(path, before), before, "nothing new to keep");
      change();
      const after = native.fileLook(path, before);
      assert.notDeepEqual(after, before, what);
      assert.deepEqual(after, native.fileLook(path));
      assert.notEqual(
        native.fileLook(path, before.subarray(1)),
        before.subarray(1),
        "a look of another size",
      );
    }
  },
);

test("directories and what links lead to can be looked at, what is not there cannot", { skip }, async () => {
  await using dir = await makeTempDir();
  mkdirSync(dir.join("folder"));
  symlinkSync(dir.join("folder"), dir.join("link"));
  assert.deepEqual(native.fileLook(dir.join("link")), native.fileLook(dir.join("folder")));
  assert.notEqual(native.fileLook(dir.join("folder")), undefined);
  assert.equal(native.fileLook(dir.join("none")), undefined);
  assert.equal(native.fileLook(`${dir.join("folder")}\0behind`), undefined, "a path does not end at a zero");
});

test("many paths are looked at as few are", { skip }, async () => {
  await using dir = await makeTempDir();
  const paths = Array.from({ length: 150 }, (_, index) => dir.join(`f${index}`));
  for (const path of paths) writeFileSync(path, "");
  const looks = paths.map((path) => String(native.fileLook(path)));
  assert.equal(new Set(looks).size, paths.length);
  assert.deepEqual(paths.map((path) => String(native.fileLook(path))), looks);
});

test("without the call there is nothing to see", () => {
  const look = createFileLook(new FakeLibc(layoutFor("darwin", "arm64")!));
  assert.equal(look("/"), undefined);
});
