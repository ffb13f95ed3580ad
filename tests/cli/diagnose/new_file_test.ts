import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { writeNewFile } from "../../../src/cli/diagnose/new_file.ts";
import { BrokerError } from "../../../src/errors.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const BYTES = Uint8Array.of(1, 2, 3);

function isConfig(message: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(BrokerError.is(error) && error.code === "config", String(error));
    assert.match(error.message, message);
    return true;
  };
}

test("writeNewFile() writes a file for its owner alone, and leaves nothing beside it", async () => {
  await using dir = await makeTempDir();
  await writeNewFile(dir.join("new.bin"), BYTES);
  assert.deepEqual(new Uint8Array(readFileSync(dir.join("new.bin"))), BYTES);
  const { mode, nlink } = statSync(dir.join("new.bin"));
  assert.deepEqual([mode & 0o777, nlink], [0o600, 1]);
  assert.deepEqual(readdirSync(dir.path), ["new.bin"]);
});

test("writeNewFile() replaces nothing: no file, no directory, no link that leads nowhere", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("file"), "mine");
  mkdirSync(dir.join("folder"));
  symlinkSync(dir.join("nowhere"), dir.join("link"));
  for (const name of ["file", "folder", "link"]) {
    await assert.rejects(
      writeNewFile(dir.join(name), BYTES),
      isConfig(new RegExp(`"${dir.join(name)}": it exists already; choose another name or remove it`)),
    );
  }
  assert.equal(readFileSync(dir.join("file"), "utf8"), "mine");
  assert.deepEqual(readdirSync(dir.path).sort(), ["file", "folder", "link"]);
});

test("writeNewFile() lets exactly one of many have a name", async () => {
  await using dir = await makeTempDir();
  const tries = Array.from({ length: 8 }, (_, index) => writeNewFile(dir.join("one"), Uint8Array.of(index)));
  const outcomes = await Promise.allSettled(tries);
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  assert.deepEqual(readdirSync(dir.path), ["one"]);
});

test("writeNewFile() says what to do about a directory that is not there or is none", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("file"), "");
  await assert.rejects(
    writeNewFile(dir.join("missing", "x"), BYTES),
    isConfig(/directory does not exist; make it/),
  );
  await assert.rejects(writeNewFile(dir.join("file", "x"), BYTES), isConfig(/its directory is none; choose/));
  assert.deepEqual(readdirSync(dir.path), ["file"]);
});
