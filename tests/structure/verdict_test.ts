import assert from "node:assert/strict";
import test from "node:test";
import type { TestCase } from "../../scripts/testing/junit.ts";
import { type FileRun, judgeFile } from "../../scripts/testing/verdict.ts";

const passed: TestCase = { name: "works", outcome: "passed", reason: undefined };
const failed: TestCase = { name: "breaks", outcome: "failed", reason: undefined };
const skipped: TestCase = { name: "waits", outcome: "skipped", reason: undefined };
const good: FileRun = {
  cases: [passed],
  code: 0,
  signal: null,
  isTimedOut: false,
  deadlineMs: 60_000,
  isNotStarted: false,
  leftovers: [],
};

const judge = (run: Partial<FileRun>, reason?: string) => {
  const { passed, failed, skipped, problems } = judgeFile({ ...good, ...run }, () => reason);
  return { counts: [passed, failed, skipped], problems };
};

test("judgeFile() counts what passed and failed", () => {
  assert.deepEqual(judge({}), { counts: [1, 0, 0], problems: [] });
  assert.deepEqual(judge({ cases: [passed, failed], code: 1 }), { counts: [1, 1, 0], problems: ["breaks"] });
});

test("judgeFile() fails a skipped test that states no reason", () => {
  const problems = ["waits (skipped without a stated reason)"];
  assert.deepEqual(judge({ cases: [skipped] }), { counts: [0, 1, 0], problems });
  assert.deepEqual(judge({ cases: [skipped] }, "needs root"), { counts: [0, 0, 1], problems: [] });
  assert.deepEqual(judge({ cases: [{ ...skipped, reason: "reported" }] }), {
    counts: [0, 0, 1],
    problems: [],
  });
});

test("judgeFile() shows the reasons of skipped tests", () => {
  assert.deepEqual(judgeFile({ ...good, cases: [skipped] }, () => "needs root").skips, ["waits: needs root"]);
});

test("judgeFile() fails an unfinished test, with or without a reason", () => {
  const cases: TestCase[] = [{ name: "later", outcome: "unfinished", reason: "soon" }];
  assert.deepEqual(judge({ cases }), { counts: [0, 1, 0], problems: ["later (unfinished)"] });
});

test("judgeFile() fails a file that ended badly although its tests passed", () => {
  const badly: [Partial<FileRun>, string][] = [
    [{ code: 3 }, "(ended with 3 and no failed test)"],
    [{ code: null, signal: "SIGSEGV" }, "(was killed by SIGSEGV)"],
    [{ code: null, signal: "SIGKILL", isTimedOut: true }, "(did not end within 60 s)"],
    [{ leftovers: ["sleep 600"] }, "(left a process behind: sleep 600)"],
  ];
  for (const [run, problem] of badly) {
    assert.deepEqual(judge(run), { counts: [1, 1, 0], problems: [problem] });
  }
});

test("judgeFile() fails a file that could not be started in time", () => {
  assert.deepEqual(judge({ cases: [], code: null, isNotStarted: true }), {
    counts: [0, 1, 0],
    problems: ["(not started: the whole run took too long)"],
  });
});

test("judgeFile() fails a file in which no test ran", () => {
  assert.deepEqual(judge({ cases: [] }), { counts: [0, 1, 0], problems: ["(no test ran)"] });
  assert.deepEqual(judge({ cases: [], code: 1 }), {
    counts: [0, 1, 0],
    problems: ["(ended with 1 and no failed test)"],
  });
});
