import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import test from "node:test";
import { currentRuntime, runtimeCommand } from "../support/runtimes.ts";
import { findSecondUser } from "../support/second_user.ts";
import { startProcess } from "../support/spawn.ts";
import { makeDefinition, makeDefinitionDir } from "./_definition.ts";

test("an ordinary user has definitions of its own and none of another user's", async () => {
  await using dir = await makeDefinitionDir(makeDefinition());
  const runtime = currentRuntime === "node" ? "node24" : currentRuntime;
  mkdirSync(dir.join("home"));
  const command = runtimeCommand(runtime, "tests/service/_load_as_user.ts", [
    dir.join("home", "own"),
    dir.services,
  ]);
  const { user } = findSecondUser();
  const isOther = user !== undefined && user.canRun(command);
  if (isOther) {
    chmodSync(dir.path, 0o711);
    chownSync(dir.join("home"), user.uid, user.gid);
  }
  const env = { ...command.env, HOME: dir.join("home"), DENO_DIR: dir.join("home", "deno") };
  const run = { ...command, env };
  await using child = startProcess(isOther ? user.wrap(run) : run, { cwd: "/" });
  const line = await child.waitForLine((line) => line.startsWith("{"), { deadlineMs: 30_000 });
  const { own, foreign, write } = JSON.parse(line) as Record<string, string>;
  assert.equal(own, "/usr/bin/daemon");
  if (!isOther) {
    // The same user: both folders are its own.
    assert.equal(foreign, "/usr/bin/daemon");
    return assert.equal(write, `${dir.services}/svc.servicedef`);
  }
  assert.equal(foreign, "Io: service-definition I/O failed: Permission denied (os error 13)");
  assert.equal(write, "Io: service-definition I/O failed: Operation not permitted (os error 1)");
});
