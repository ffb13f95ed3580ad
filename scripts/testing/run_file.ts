import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ChildRunner } from "../child_runner.ts";
import { nodeBuildPath } from "../node_build_path.ts";
import type { RuntimeName } from "../runtime_name.ts";
import { parseJUnit } from "./junit.ts";
import { endLeftovers, JOB_ENV } from "./leftovers.ts";
import type { TestJob } from "./plan.ts";
import type { FileRun } from "./verdict.ts";

/** Where and with what files are run. */
export interface FileRunner {
  root: string;
  /** A folder for reports. */
  scratch: string;
  executables: Readonly<Partial<Record<RuntimeName, string>>>;
  env: Readonly<Record<string, string>>;
  children: ChildRunner;
}

/** A judged file also needs what it printed and how long it took. */
export interface FileRunWithOutput extends FileRun {
  output: string;
  seconds: number;
}

/** Runs one test file in one runtime by that runtime's own test runner, and reads its report. */
export async function runTestFile(runner: FileRunner, job: TestJob): Promise<FileRunWithOutput> {
  const mark = crypto.randomUUID();
  const reportPath = join(runner.scratch, `${mark}.xml`);
  const command = runner.executables[job.runtime];
  if (command === undefined) throw new Error(`No executable for runtime "${job.runtime}"`);
  const { code, signal, isTimedOut, output, seconds } = await runner.children.run({
    command,
    args: testArguments(job, reportPath),
    cwd: runner.root,
    env: { ...runner.env, [JOB_ENV]: mark },
    deadlineMs: job.deadlineMs,
  });
  const leftovers = await endLeftovers(mark);
  const cases = existsSync(reportPath) ? parseJUnit(readFileSync(reportPath, "utf8")) : [];
  const ending = { code, signal, isTimedOut, isNotStarted: false };
  return { cases, ...ending, deadlineMs: job.deadlineMs, leftovers, output, seconds };
}

function testArguments({ path, runtime, deadlineMs }: TestJob, reportPath: string): string[] {
  if (runtime === "deno") return ["test", "-A", "--no-check", `--junit-path=${reportPath}`, path];
  if (runtime === "bun") {
    // Bun ends each test after 5 s unless told otherwise; the file's deadline is enough.
    const report = ["--reporter=junit", `--reporter-outfile=${reportPath}`];
    return ["test", `--timeout=${deadlineMs}`, ...report, `./${path}`];
  }
  // Without --test the file runs in this very process: one process less, and one that must end by itself.
  return [
    "--enable-source-maps",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${reportPath}`,
    nodeBuildPath(path),
  ];
}
