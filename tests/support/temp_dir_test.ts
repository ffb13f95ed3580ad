import assert from "node:assert/strict";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import test from "node:test";
import { makeTempDir } from "./temp_dir.ts";

test("makeTempDir() makes a private folder and removes it with its contents", async () => {
  let path = "";
  {
    await using dir = await makeTempDir();
    path = dir.path;
    assert.equal(statSync(path).mode & 0o777, 0o700);
    mkdirSync(dir.join("inside"));
    writeFileSync(dir.join("inside", "file"), "text");
  }
  assert.equal(existsSync(path), false);
});

test("makeTempDir() leaves room for a socket's name and never repeats", async () => {
  await using first = await makeTempDir();
  await using second = await makeTempDir();
  assert.notEqual(first.path, second.path);
  assert.ok(first.path.length <= 20 || !first.path.startsWith("/tmp"), first.path);
});
