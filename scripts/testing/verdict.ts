// This module has no I/O.
import type { TestCase } from "./junit.ts";

/** What is known after one test file ran in one runtime. */
export interface FileRun {
  cases: readonly TestCase[];
  code: number | null;
  signal: string | null;
  /** Whether it was killed at its deadline. */
  isTimedOut: boolean;
  deadlineMs: number;
  /** Whether the run's own time was over before it could begin. */
  isNotStarted: boolean;
  /** Command lines of processes it left behind. */
  leftovers: readonly string[];
}

/** What that amounts to. A file that ended badly counts as one failure more than its tests. */
export interface FileVerdict {
  passed: number;
  failed: number;
  skipped: number;
  /** One line for each failure. */
  problems: string[];
  /** One line for each skipped test that states its reason. */
  skips: string[];
}

/** Judges a run. `reasonOf` finds the reason of a skip that the runtime did not report. */
export function judgeFile(run: FileRun, reasonOf: (name: string) => string | undefined): FileVerdict {
  const verdict: FileVerdict = { passed: 0, failed: 0, skipped: 0, problems: [], skips: [] };
  const fail = (problem: string) => {
    verdict.failed += 1;
    verdict.problems.push(problem);
  };
  for (const { name, outcome, reason } of run.cases) {
    const stated = outcome === "skipped" ? reason ?? reasonOf(name) : undefined;
    if (outcome === "passed") verdict.passed += 1;
    else if (outcome === "failed") fail(name);
    else if (outcome === "unfinished") fail(`${name} (unfinished)`);
    else if (stated === undefined) fail(`${name} (skipped without a stated reason)`);
    else {
      verdict.skipped += 1;
      verdict.skips.push(`${name}: ${stated}`);
    }
  }
  for (const problem of endingProblems(run, verdict.failed > 0)) fail(problem);
  return verdict;
}

function endingProblems(run: FileRun, hasFailed: boolean): string[] {
  if (run.isNotStarted) return ["(not started: the whole run took too long)"];
  const problems = run.leftovers.map((command) => `(left a process behind: ${command})`);
  if (run.isTimedOut) return [`(did not end within ${run.deadlineMs / 1_000} s)`, ...problems];
  if (run.signal !== null) return [`(was killed by ${run.signal})`, ...problems];
  if (run.code !== 0 && !hasFailed) return [`(ended with ${run.code} and no failed test)`, ...problems];
  if (run.cases.length === 0 && !hasFailed) return ["(no test ran)", ...problems];
  return problems;
}
