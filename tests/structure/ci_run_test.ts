// run-in: deno
import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync } from "node:fs";
import { delimiter } from "node:path";
import process from "node:process";
import test from "node:test";
import { projectFile } from "../support/project.ts";
import { startProcess } from "../support/spawn.ts";
import { makeTree } from "./_tree.ts";

/** Runs `.ci/run` with an `npx` that answers each task by a shell command. */
async function runCi(answers: { check: string; test: string }) {
  await using tree = await makeTree({
    "bin/npx": `#!/bin/sh\ncase "$*" in\n"-y deno task check") ${answers.check} ;;\n` +
      `"-y deno task test") ${answers.test} ;;\n*) echo "unknown: $*"; exit 9 ;;\nesac\n`,
  });
  chmodSync(tree.join("bin", "npx"), 0o755);
  mkdirSync(tree.join(".ci"));
  cpSync(projectFile(".ci/run"), tree.join(".ci", "run"));
  const env = { PATH: `${tree.join("bin")}${delimiter}${process.env["PATH"]}` };
  await using child = startProcess({ command: tree.join(".ci", "run"), args: [], env }, { cwd: "/" });
  const last = (line: string) => /^\d+ passed, \d+ failed$/.test(line);
  const { code } = await child.waitForExit({ deadlineMs: 20_000 });
  await child.waitForLine(last, { deadlineMs: 5_000 });
  return [child.stdoutLines.at(-1), code];
}

const good = "echo noise; echo '9 passed, 0 failed'";

test(".ci/run adds up both commands", async () => {
  assert.deepEqual(await runCi({ check: good, test: "echo '100 passed, 0 failed'; echo notice >&2" }), [
    "109 passed, 0 failed",
    0,
  ]);
});

test(".ci/run fails when one of them counts a failure", async () => {
  const bad = "echo '7 passed, 2 failed'; exit 1";
  assert.deepEqual(await runCi({ check: bad, test: good }), ["16 passed, 2 failed", 1]);
  assert.deepEqual(await runCi({ check: good, test: bad }), ["16 passed, 2 failed", 1]);
});

test(".ci/run fails when one of them ends without a count, or badly in spite of it", async () => {
  assert.deepEqual(await runCi({ check: "echo crashed; exit 3", test: good }), ["9 passed, 1 failed", 1]);
  assert.deepEqual(await runCi({ check: good, test: `${good}; exit 3` }), ["18 passed, 1 failed", 1]);
});
