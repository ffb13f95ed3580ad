import assert from "node:assert/strict";
import { chmodSync, copyFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { findSecondUser } from "./second_user.ts";
import { startProcess } from "./spawn.ts";
import { makeTempDir } from "./temp_dir.ts";

const { user, reason } = findSecondUser();

test(
  "a command of the second user runs under its uid, gid and no other group",
  { skip: reason },
  async () => {
    assert.ok(user);
    const command = user.wrap({
      command: "/bin/sh",
      args: ["-c", 'echo "$(id -u) $(id -g) $(id -G) $0"', "word"],
    });
    await using child = startProcess(command, { cwd: "/" });
    const line = await child.waitForLine(() => true, { deadlineMs: 10_000 });
    assert.equal(line, `${user.uid} ${user.gid} ${user.gid} word`);
    assert.notEqual(user.uid, process.getuid?.());
  },
);

test("canRun() tells what is within reach from what lies in a private folder", { skip: reason }, async () => {
  assert.ok(user);
  await using dir = await makeTempDir();
  const own = dir.join("sh");
  copyFileSync("/bin/sh", own);
  const canRun = (command: string, ...args: string[]) => user.canRun({ command, args });
  assert.equal(canRun("/bin/sh", "-c", "/nowhere"), true);
  assert.equal(canRun(own), false);
  assert.equal(canRun("/bin/sh", own), false);
  chmodSync(dir.path, 0o755);
  assert.equal(canRun(own, "/bin/sh"), true);
  assert.equal(canRun("/bin/sh", own), true);
});
