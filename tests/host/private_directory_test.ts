import assert from "node:assert/strict";
import { chmodSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { isOwnerOnlyAcl, OWNER_ONLY_SDDL } from "../../src/host/owner_only_acl.ts";
import {
  type DirectoryAcl,
  ensurePrivateDirectory,
  isPrivateDirectory,
  isPrivateDirectorySync,
} from "../../src/host/private_directory.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const isWindows = process.platform === "win32";

/** Windows needs an access list; this one remembers what was set. */
function rememberingAcl(): DirectoryAcl {
  const lists = new Map<string, string>();
  return {
    read: (path) => lists.get(path) ?? "D:AI(A;OICIID;FA;;;SY)",
    replace: (path, sddl) => void lists.set(path, sddl),
  };
}

const mode = (path: string) => statSync(path).mode & 0o777;

test("ensurePrivateDirectory() creates a private directory with its parents", async () => {
  await using dir = await makeTempDir();
  const acl = rememberingAcl();
  await ensurePrivateDirectory(dir.join("a", "b"), acl);
  assert.equal(await isPrivateDirectory(dir.join("a", "b"), acl), true);
  assert.equal(isPrivateDirectorySync(dir.join("a", "b"), acl), true);
  if (!isWindows) assert.equal(mode(dir.join("a", "b")), 0o700);
});

test("ensurePrivateDirectory() makes an existing directory private, also behind a link", async () => {
  await using dir = await makeTempDir();
  if (isWindows) {
    await assert.rejects(ensurePrivateDirectory(dir.join("a")), BrokerError);
    return;
  }
  mkdirSync(dir.join("open"));
  chmodSync(dir.join("open"), 0o755);
  symlinkSync("open", dir.join("link"));
  await ensurePrivateDirectory(dir.join("link"));
  assert.equal(mode(dir.join("open")), 0o700);
});

test("isPrivateDirectory() minds every right of group and others and no other bit", async () => {
  await using dir = await makeTempDir();
  if (isWindows) {
    assert.throws(() => isPrivateDirectorySync(dir.path), BrokerError);
    return;
  }
  mkdirSync(dir.join("d"));
  for (const bits of [0o700, 0o500, 0o1700, 0o000]) {
    chmodSync(dir.join("d"), bits);
    assert.equal(await isPrivateDirectory(dir.join("d")), true, bits.toString(8));
  }
  for (const bits of [0o701, 0o702, 0o704, 0o710, 0o720, 0o740, 0o755, 0o777]) {
    chmodSync(dir.join("d"), bits);
    assert.equal(await isPrivateDirectory(dir.join("d")), false, bits.toString(8));
    assert.equal(isPrivateDirectorySync(dir.join("d")), false, bits.toString(8));
  }
});

test("isPrivateDirectory() passes on that there is no directory", async () => {
  await using dir = await makeTempDir();
  const isMissing = isWindows ? BrokerError : { code: "ENOENT" };
  await assert.rejects(isPrivateDirectory(dir.join("none")), isMissing);
  assert.throws(() => isPrivateDirectorySync(dir.join("none")), isMissing);
});

test("isOwnerOnlyAcl() takes the owner's full access and nothing beside it", () => {
  assert.equal(isOwnerOnlyAcl(OWNER_ONLY_SDDL), true);
  assert.equal(isOwnerOnlyAcl("D:PAI(A;;FA;;;OW)"), true);
  assert.equal(isOwnerOnlyAcl("D:P(A;;0x1f01ff;;;OW)"), true);
  for (
    const open of [
      "",
      "D:(A;;FA;;;OW)",
      "D:AI(A;;FA;;;OW)",
      "D:P",
      "D:P(A;;FA;;;WD)",
      "D:P(A;;FR;;;OW)",
      "D:P(A;;FA;;;OW)(A;;FA;;;SY)",
      "O:OWD:P(A;;FA;;;OW)",
    ]
  ) assert.equal(isOwnerOnlyAcl(open), false, open);
});
