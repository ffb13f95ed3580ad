import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { ensurePrivateParent } from "../../src/transport/private_parent.ts";
import { makeTempDir } from "../support/temp_dir.ts";

/** Refused as a configuration error whose message says all of this. */
function isRefusal(...words: string[]): (error: unknown) => true {
  return (error) => {
    assert.ok(BrokerError.is(error), String(error));
    assert.equal(error.code, "config");
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" without "${word}"`);
    return true;
  };
}

test("a missing directory is made with its parents, for this user alone", async () => {
  await using dir = await makeTempDir();
  const folder = dir.join("a", "b");
  assert.equal(await ensurePrivateParent(dir.join("a", "b", "s.sock")), folder);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(dir.join("a")).mode & 0o777, 0o700);
  assert.equal(await ensurePrivateParent(dir.join("a", "b", "s.sock")), folder);
});

test("a directory that others may use in any way is refused, and left as it is", async () => {
  await using dir = await makeTempDir();
  const folder = dir.join("shared");
  mkdirSync(folder);
  for (const mode of [0o701, 0o702, 0o704, 0o710, 0o720, 0o740, 0o755, 0o777]) {
    chmodSync(folder, mode);
    const octal = `0${mode.toString(8)}`;
    await assert.rejects(
      ensurePrivateParent(`${folder}/s.sock`),
      isRefusal(folder, `its mode is ${octal}, wanted 0700`, "chmod 700"),
    );
    assert.equal(statSync(folder).mode & 0o777, mode);
  }
  chmodSync(folder, 0o1777);
  await assert.rejects(ensurePrivateParent(`${folder}/s.sock`), isRefusal("0777"));
  chmodSync(folder, 0o700);
  await ensurePrivateParent(`${folder}/s.sock`);
});

test("a stricter directory will do", async () => {
  await using dir = await makeTempDir();
  mkdirSync(dir.join("strict"));
  chmodSync(dir.join("strict"), 0o500);
  assert.equal(await ensurePrivateParent(dir.join("strict", "s.sock")), dir.join("strict"));
});

test("a file in the directory's place is refused", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("file"), "");
  await assert.rejects(ensurePrivateParent(dir.join("file", "s.sock")), isRefusal(dir.join("file")));
});

test("a directory below a file cannot be made, and the system's word for it is told", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("file"), "");
  await assert.rejects(ensurePrivateParent(dir.join("file", "deep", "s.sock")), isRefusal("ENOTDIR"));
});

test("what a link points at is what counts", async () => {
  await using dir = await makeTempDir();
  mkdirSync(dir.join("open"));
  chmodSync(dir.join("open"), 0o755);
  symlinkSync(dir.join("open"), dir.join("link"));
  await assert.rejects(ensurePrivateParent(dir.join("link", "s.sock")), isRefusal("0755"));
});

test("a private directory of another user is refused, also to root", {
  skip: process.getuid?.() === 0 ? false : "only root can make one",
}, async () => {
  await using dir = await makeTempDir();
  mkdirSync(dir.join("foreign"));
  chmodSync(dir.join("foreign"), 0o700);
  chownSync(dir.join("foreign"), 65_534, 65_534);
  await assert.rejects(
    ensurePrivateParent(dir.join("foreign", "s.sock")),
    isRefusal("it belongs to uid 65534, wanted 0"),
  );
});
