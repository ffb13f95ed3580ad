// Runs every test in every runtime: `deno task test [--runtime deno,bun] [--filter text] [--shuffle seed]`.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { projectFile, projectRoot } from "../tests/support/project.ts";
import { ChildRunner } from "./child_runner.ts";
import { endRun, RUN_ENV } from "./testing/leftovers.ts";
import { readTestOptions } from "./testing/options.ts";
import { planJobs, type TestJob } from "./testing/plan.ts";
import { prepare } from "./testing/prepare.ts";
import { type FinishedJob, runJobs } from "./testing/run_jobs.ts";
import { showFailure } from "./testing/show_failure.ts";
import { skipReasonInSource } from "./testing/skip_reason.ts";
import { formatTable, formatTotal, stepRow, sumRows, type TableRow } from "./testing/table.ts";
import { judgeFile } from "./testing/verdict.ts";

// A whole run takes 6 minutes on two idle cores; what has not begun after so long counts as failed.
const RUN_DEADLINE_MS = 20 * 60_000;

async function main(children: ChildRunner, mark: string): Promise<number> {
  const start = performance.now();
  const options = readTestOptions(process.argv.slice(2));
  const scale = Number(process.env["RP_TEST_SCALE"] ?? "1");
  const jobs = planJobs(projectRoot, { ...options, scale });
  const order = options.seed === undefined ? "by name" : `shuffled by seed ${options.seed}`;
  console.log(`${jobs.length} runs of test files, ${order}, counts x${scale}`);
  const { executables, env, rows } = await prepare(children, new Set(jobs.map(({ suite }) => suite)));
  const scratch = mkdtempSync(projectFile(".build/test-"));
  try {
    // Brokers on the command line keep a log there, which is to be the tests' and not the user's.
    const own = { [RUN_ENV]: mark, XDG_STATE_HOME: join(scratch, "state") };
    const runner = { root: projectRoot, scratch, executables, env: { ...env, ...own }, children };
    const spentMs = performance.now() - start;
    const finished = await runJobs(runner, jobs, RUN_DEADLINE_MS * Math.max(1, scale) - spentMs);
    rows.push(...judgeJobs(finished));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  if (jobs.length === 0) rows.push(stepRow("no test file", "", false, 0));
  console.log(`\n${formatTable(sumRows(rows))}`);
  console.log(`\n${((performance.now() - start) / 1_000).toFixed(0)} s`);
  console.log(formatTotal(rows));
  return rows.some(({ failed }) => failed > 0) ? 1 : 0;
}

function judgeJobs(finished: readonly FinishedJob[]): TableRow[] {
  const key = ({ job }: FinishedJob) => `${job.suite} ${job.runtime} ${job.path}`;
  return [...finished].sort((a, b) => key(a) < key(b) ? -1 : 1).map(({ job, run }) => {
    const source = readFileSync(projectFile(job.path), "utf8");
    const verdict = judgeFile(run, (name) => findSkipReason(finished, job, source, name));
    const title = `${job.path} in ${job.runtime}`;
    if (verdict.failed > 0) showFailure(title, verdict.problems, run.output);
    for (const skip of verdict.skips) console.log(`skipped: ${title}: ${skip}`);
    const { passed, failed, skipped } = verdict;
    return { suite: job.suite, runtime: job.runtime, passed, failed, skipped, seconds: run.seconds };
  });
}

/** As the source says, or as another runtime reported for the same test. */
function findSkipReason(
  finished: readonly FinishedJob[],
  { path }: TestJob,
  source: string,
  name: string,
): string | undefined {
  const fromSource = skipReasonInSource(source, name.split(" > ").at(-1) ?? name);
  if (fromSource !== undefined) return fromSource;
  return finished.filter(({ job }) => job.path === path)
    .flatMap(({ run }) => run.cases)
    .find((other) => other.name === name && other.reason !== undefined)?.reason;
}

if (import.meta.main) {
  const children = new ChildRunner();
  const mark = crypto.randomUUID();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      children.killAll();
      endRun(mark);
      console.log("0 passed, 1 failed");
      process.exit(130);
    });
  }
  try {
    process.exitCode = await main(children, mark);
  } catch (error) {
    console.log(error);
    console.log("0 passed, 1 failed");
    process.exitCode = 1;
  }
}
