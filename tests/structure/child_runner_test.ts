import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { ChildRunner } from "../../scripts/child_runner.ts";
import { startProcess } from "../support/spawn.ts";
import { endLeftovers, endRun, JOB_ENV, RUN_ENV } from "../../scripts/testing/leftovers.ts";

const shell = (script: string, deadlineMs = 20_000) => ({
  command: "/bin/sh",
  args: ["-c", script],
  cwd: "/",
  deadlineMs,
});

test("run() gives the output and the code of a child", async () => {
  const result = await new ChildRunner().run(shell("echo out; echo err >&2; exit 4"));
  assert.deepEqual([result.code, result.signal, result.isTimedOut], [4, null, false]);
  assert.match(result.output, /out\n/);
  assert.match(result.output, /err\n/);
});

test("run() ends a child and its group at the deadline, with the output so far", async () => {
  const result = await new ChildRunner().run(shell("echo first; sleep 600 & sleep 600", 300));
  assert.deepEqual([result.signal, result.isTimedOut, result.output], ["SIGKILL", true, "first\n"]);
  assert.ok(result.seconds < 10, `${result.seconds} s`);
});

test("run() reports a program that is not there", async () => {
  const result = await new ChildRunner().run({ ...shell(""), command: "/nowhere/program" });
  assert.equal(result.code, 127);
  assert.match(result.output, /ENOENT/);
});

test("run() lets a child inherit the configuration of an outer npm, and nothing else of it", async () => {
  process.env["npm_package_word"] = "outer";
  process.env["npm_config_word"] = "kept";
  try {
    const result = await new ChildRunner().run({
      ...shell('echo "$npm_package_word|$npm_config_word|$NO_COLOR|$WORD"'),
      env: { WORD: "given" },
    });
    assert.equal(result.output, "|kept|1|given\n");
  } finally {
    delete process.env["npm_package_word"];
    delete process.env["npm_config_word"];
  }
});

test("killAll() ends every child that runs", async () => {
  const children = new ChildRunner();
  const both = [children.run(shell("exec sleep 600")), children.run(shell("exec sleep 600"))];
  children.killAll();
  assert.deepEqual((await Promise.all(both)).map(({ signal, isTimedOut }) => [signal, isTimedOut]), [
    ["SIGKILL", false],
    ["SIGKILL", false],
  ]);
});

test("endLeftovers() finds and ends what left its group", {
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  const mark = crypto.randomUUID();
  const script = "setsid sleep 601 >/dev/null 2>&1 & setsid sleep 602 >/dev/null 2>&1 & echo done";
  const result = await new ChildRunner().run({ ...shell(script), env: { [JOB_ENV]: mark } });
  assert.equal(result.output, "done\n");
  assert.deepEqual((await endLeftovers(mark)).sort(), ["sleep 601", "sleep 602"]);
  assert.deepEqual(await endLeftovers(mark), []);
  assert.deepEqual(await endLeftovers(crypto.randomUUID()), []);
});

test("endRun() ends what any job of a run has started, and nothing else", {
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  const mark = crypto.randomUUID();
  const start = (value: string) =>
    startProcess({
      command: "/bin/sh",
      args: ["-c", "echo ready; exec sleep 604"],
      env: { [RUN_ENV]: value },
    });
  await using ours = start(mark);
  await using others = start(crypto.randomUUID());
  for (const child of [ours, others]) await child.waitForLine(() => true, { deadlineMs: 10_000 });
  endRun(mark);
  assert.equal((await ours.waitForExit({ deadlineMs: 10_000 })).signal, "SIGKILL");
  await assert.rejects(others.waitForExit({ deadlineMs: 50 }), /running/);
});
