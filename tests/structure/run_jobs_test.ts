import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { ChildRunner } from "../../scripts/child_runner.ts";
import type { TestJob } from "../../scripts/testing/plan.ts";
import { runJobs } from "../../scripts/testing/run_jobs.ts";
import { judgeFile } from "../../scripts/testing/verdict.ts";
import { makeTree } from "./_tree.ts";

const job = (path: string, isAlone: boolean): TestJob => (
  { path, suite: "x", runtime: "node20", deadlineMs: 20_000, isAlone }
);
// A stand-in for a runtime: it writes down its last argument, the file, when it begins and when it ends.
const RUNTIME =
  '#!/bin/sh\nfor file; do :; done\necho "begin $file" >> log\nsleep 0.1\necho "end $file" >> log\n';

async function makeRunner() {
  const tree = await makeTree({ runtime: RUNTIME, log: "" });
  const executables = { node20: tree.join("runtime") };
  const children = new ChildRunner();
  return { tree, runner: { root: tree.path, scratch: tree.path, executables, env: {}, children } };
}

test("runJobs() runs a lonely job while no other runs", {
  skip: process.platform === "win32" && "a shell script",
}, async () => {
  const { tree, runner } = await makeRunner();
  await using _ = tree;
  chmodSync(tree.join("runtime"), 0o755);
  const jobs = [job("alone1.ts", true), job("a.ts", false), job("b.ts", false), job("alone2.ts", true)];
  const finished = await runJobs(runner, jobs, 60_000);
  const log = readFileSync(tree.join("log"), "utf8").trim().split("\n").map((line) =>
    line.replace(".build/node/", "")
  );
  assert.deepEqual(log.slice(4), ["begin alone1.js", "end alone1.js", "begin alone2.js", "end alone2.js"]);
  assert.deepEqual(log.slice(0, 4).toSorted(), ["begin a.js", "begin b.js", "end a.js", "end b.js"]);
  assert.equal(finished.length, 4);
});

test("runJobs() starts nothing after the end of its time, and that fails", async () => {
  const { tree, runner } = await makeRunner();
  await using _ = tree;
  const [finished, ...others] = await runJobs(runner, [job("a.ts", true)], -1);
  assert.ok(finished);
  assert.equal(others.length, 0);
  assert.match(judgeFile(finished.run, () => undefined).problems.join(), /not started/);
  assert.equal(readFileSync(tree.join("log"), "utf8"), "");
});
