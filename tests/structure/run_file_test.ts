// The runner's own test: it starts every runtime itself.
// run-in: deno
// deadline-s: 120
import assert from "node:assert/strict";
import test from "node:test";
import { buildForNode } from "../../scripts/build_node.ts";
import { ChildRunner } from "../../scripts/child_runner.ts";
import { runtimeNames } from "../../scripts/runtime_name.ts";
import { runTestFile } from "../../scripts/testing/run_file.ts";
import { judgeFile } from "../../scripts/testing/verdict.ts";
import { ensureRuntimes } from "../../scripts/toolchain.ts";
import { stop } from "esbuild";
import { makeTree } from "./_tree.ts";

const HEAD = 'import test, { describe } from "node:test";\nimport process from "node:process";\n' +
  'import { spawn } from "node:child_process";\n';

const FILES = {
  good: 'test("a", () => {}); describe("b", () => { test("c", () => {}); test("d", () => {}); });',
  failing: 'test("a", () => {}); test("b", () => { throw new Error("seen"); });',
  crashing: 'test("a", () => {}); test("b", () => process.exit(3));',
  broken: 'import { missing } from "./nowhere.ts"; test("a", () => missing);',
  hanging: 'test("a", () => new Promise(() => setInterval(() => {}, 1000)));',
  empty: "export {};",
  skipping: 'test("a", { skip: "no such kernel" }, () => {}); test("b", () => {});',
  littering: 'test("a", () => { spawn("sleep", ["603"], { detached: true, stdio: "ignore" }).unref(); });',
};

const EXPECTED: Record<keyof typeof FILES, { counts: number[]; problems: RegExp[] }> = {
  good: { counts: [3, 0, 0], problems: [] },
  failing: { counts: [1, 1, 0], problems: [/^b$/] },
  crashing: { counts: [], problems: [/^b$|ended with 3 and no failed test/] },
  broken: { counts: [0, 1, 0], problems: [/ended with 1 and no failed test/] },
  hanging: { counts: [0, 1, 0], problems: [/did not end within 2 s/] },
  empty: { counts: [0, 1, 0], problems: [/no test ran|ended with 1 and no failed test/] },
  skipping: { counts: [1, 0, 1], problems: [] },
  littering: { counts: [1, 1, 0], problems: [/left a process behind: \S*sleep 603/] },
};

for (const runtime of runtimeNames) {
  test(`runTestFile() judges each kind of file right in ${runtime}`, async () => {
    await using tree = await makeTree({
      "deno.json": "{}",
      "package.json": '{ "type": "module" }',
      ...Object.fromEntries(
        Object.entries(FILES).map(([name, text]) => [`tests/x/${name}_test.ts`, `${HEAD}${text}\n`]),
      ),
    });
    await buildForNode({ root: tree.path });
    await stop();
    const children = new ChildRunner();
    const executables = ensureRuntimes(runtimeNames);
    const runner = { root: tree.path, scratch: tree.path, executables, env: {}, children };
    for (const [name, { counts, problems }] of Object.entries(EXPECTED)) {
      const path = `tests/x/${name}_test.ts`;
      const deadlineMs = name === "hanging" ? 2_000 : 30_000;
      const run = await runTestFile(runner, { path, suite: "x", runtime, deadlineMs, isAlone: false });
      const verdict = judgeFile(run, () => "stated elsewhere");
      const about = `${name} in ${runtime}: ${verdict.problems.join("; ")}\n${run.output}`;
      // How many tests a crash takes with it is the runtime's own affair.
      if (name === "crashing") assert.equal(verdict.failed, 1, about);
      else assert.deepEqual([verdict.passed, verdict.failed, verdict.skipped], counts, about);
      for (const [at, problem] of problems.entries()) {
        assert.match(verdict.problems[at] ?? "", problem, about);
      }
    }
  });
}
