import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import process from "node:process";
import { after, test } from "node:test";
import { ALLOW_PRIVILEGED_VARIABLE, privilegeRefusal } from "../../src/cli/privilege.ts";
import { currentRuntime, runtimeCommand } from "../support/runtimes.ts";
import { findSecondUser } from "../support/second_user.ts";
import { startProcess } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { runCli } from "./_run_cli.ts";

const START_DEADLINE_MS = 60_000;
const { geteuid } = process;
const before = process.env[ALLOW_PRIVILEGED_VARIABLE];

after(() => actAs(geteuid, before));

/** Makes this process look like another user's, with the variable set or not. */
function actAs(user: (() => number) | undefined, variable: string | undefined): void {
  Object.defineProperty(process, "geteuid", { value: user, configurable: true, writable: true });
  if (variable === undefined) delete process.env[ALLOW_PRIVILEGED_VARIABLE];
  else process.env[ALLOW_PRIVILEGED_VARIABLE] = variable;
}

test("root is refused unless the variable is exactly 1", () => {
  for (const variable of [undefined, "", "0", "true", "yes", "01", " 1"]) {
    actAs(() => 0, variable);
    assert.match(String(privilegeRefusal()), /refusing to run as root.*or set .*ALLOW_PRIVILEGED=1$/);
  }
  actAs(() => 0, "1");
  assert.equal(privilegeRefusal(), undefined);
});

test("any other user is not, and neither is a system without users", () => {
  for (const user of [() => 1, () => 65_534, undefined]) {
    actAs(user, undefined);
    assert.equal(privilegeRefusal(), undefined);
  }
});

test("root is refused before the arguments are looked at", {
  skip: geteuid?.() === 0 ? false : "only root is refused",
}, async () => {
  for (const args of [["--version"], ["--nonsense"], []]) {
    const { code, stdout, stderr } = await runCli(args, { [ALLOW_PRIVILEGED_VARIABLE]: "true" });
    assert.equal(code, 1, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /^running-process-broker-v1: refusing to run as root/);
    assert.ok(!stderr.includes("usage"), stderr);
  }
});

test("an ordinary user needs no leave", async () => {
  await using dir = await makeTempDir();
  const { user } = findSecondUser();
  const runtime = currentRuntime === "node" ? "node24" : currentRuntime;
  const command = runtimeCommand(runtime, "cli.ts", ["--version"]);
  const env = { ...command.env, HOME: dir.path, DENO_DIR: dir.join("deno"), [ALLOW_PRIVILEGED_VARIABLE]: "" };
  const isOther = user !== undefined && user.canRun(command);
  if (isOther) {
    mkdirSync(dir.join("deno"));
    for (const path of [dir.path, dir.join("deno")]) {
      chmodSync(path, 0o711);
      chownSync(path, user.uid, user.gid);
    }
  }
  await using child = startProcess(isOther ? user.wrap({ ...command, env }) : { ...command, env }, {
    cwd: "/",
  });
  const { code } = await child.waitForExit({ deadlineMs: START_DEADLINE_MS });
  const isRoot = geteuid?.() === 0 && !isOther;
  assert.equal(code, isRoot ? 1 : 0, child.stderrTail.join("\n"));
});
