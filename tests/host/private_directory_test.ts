import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { isOwnerOnlyAcl, OWNER_ONLY_SDDL } from "../../src/host/owner_only_acl.ts";
import { aclAccess, directoryAccess } from "../../src/host/private_directory.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const isWindows = process.platform === "win32";
const mode = (path: string) => statSync(path).mode & 0o777;

test("directoryAccess.makePrivate() creates a private directory with its parents", async () => {
  await using dir = await makeTempDir();
  if (isWindows) return await assert.rejects(directoryAccess.makePrivate(dir.join("a")), BrokerError);
  await directoryAccess.makePrivate(dir.join("a", "b"));
  assert.deepEqual([mode(dir.join("a")), mode(dir.join("a", "b"))], [0o700, 0o700]);
  assert.equal(await directoryAccess.isPrivate(dir.join("a", "b")), true);
});

test("directoryAccess.makePrivate() makes an existing directory private, also behind a link", async () => {
  await using dir = await makeTempDir();
  if (isWindows) return await assert.rejects(directoryAccess.makePrivate(dir.path), BrokerError);
  mkdirSync(dir.join("open"));
  chmodSync(dir.join("open"), 0o755);
  symlinkSync("open", dir.join("link"));
  await directoryAccess.makePrivate(dir.join("link"));
  assert.equal(mode(dir.join("open")), 0o700);
});

test("directoryAccess.isPrivate() minds every right of group and others and no other bit", async () => {
  await using dir = await makeTempDir();
  if (isWindows) return assert.throws(() => directoryAccess.isPrivateSync(dir.path), BrokerError);
  mkdirSync(dir.join("d"));
  for (const bits of [0o700, 0o500, 0o1700, 0o000]) {
    chmodSync(dir.join("d"), bits);
    assert.equal(await directoryAccess.isPrivate(dir.join("d")), true, bits.toString(8));
    assert.equal(directoryAccess.isPrivateSync(dir.join("d")), true, bits.toString(8));
  }
  for (const bits of [0o701, 0o702, 0o704, 0o710, 0o720, 0o740, 0o755, 0o777]) {
    chmodSync(dir.join("d"), bits);
    assert.equal(await directoryAccess.isPrivate(dir.join("d")), false, bits.toString(8));
    assert.equal(directoryAccess.isPrivateSync(dir.join("d")), false, bits.toString(8));
  }
});

test("directoryAccess passes on that there is no directory", async () => {
  await using dir = await makeTempDir();
  const isMissing = isWindows ? BrokerError : { code: "ENOENT" };
  await assert.rejects(directoryAccess.isPrivate(dir.join("none")), isMissing);
  assert.throws(() => directoryAccess.isPrivateSync(dir.join("none")), isMissing);
});

test("aclAccess() replaces the access list of a directory and reads it back", async () => {
  await using dir = await makeTempDir();
  const lists = new Map<string, string>();
  const access = aclAccess({
    read: (path) => lists.get(path) ?? "D:AI(A;OICIID;FA;;;SY)",
    replace: (path, sddl) => void lists.set(path, sddl),
  });
  assert.equal(await access.isPrivate(dir.join("a")), false);
  assert.equal(access.isPrivateSync(dir.join("a")), false);
  await access.makePrivate(dir.join("a", "b"));
  assert.ok(existsSync(dir.join("a", "b")));
  assert.deepEqual([...lists], [[dir.join("a", "b"), OWNER_ONLY_SDDL]]);
  assert.equal(await access.isPrivate(dir.join("a", "b")), true);
  assert.equal(access.isPrivateSync(dir.join("a", "b")), true);
});

test("aclAccess() rejects what its native calls throw", async () => {
  const fail = () => {
    throw new BrokerError("os", "Cannot read an access list: error 5");
  };
  const access = aclAccess({ read: fail, replace: fail });
  await assert.rejects(access.isPrivate("/x"), BrokerError);
  assert.throws(() => access.isPrivateSync("/x"), BrokerError);
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
