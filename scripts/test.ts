// Runs every test in every runtime: `deno task test [--runtime deno,bun] [--filter text] [--shuffle seed]`.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { stop } from "esbuild";
import { projectFile, projectRoot } from "../tests/support/project.ts";
import { buildForNode } from "./build_node.ts";
import { ChildRunner } from "./child_runner.ts";
import { runtimeNames } from "./runtime_name.ts";
import { readTestOptions, type TestOptions } from "./testing/options.ts";
import { planJobs, type TestJob } from "./testing/plan.ts";
import { type FileRunner, type FileRunWithOutput, runTestFile } from "./testing/run_file.ts";
import { skipReasonInSource } from "./testing/skip_reason.ts";
import { formatTable, formatTotal, sumRows, type TableRow } from "./testing/table.ts";
import { judgeFile } from "./testing/verdict.ts";
import { ensureRuntimes, TOOLCHAIN_ENV } from "./toolchain.ts";

/** A job and what came of it. */
interface FinishedJob {
  job: TestJob;
  run: FileRunWithOutput;
}

const TOOLS_NEEDED: Readonly<Record<string, string>> = {
  gcc: "compares struct layouts with the C headers",
  cargo: "builds the Rust peer",
  python3: "plays a peer in a third language",
};
const TYPE_CHECK_DEADLINE_MS = 180_000;
// 80 s from an empty target folder on two cores, plus the download of its crates.
const PEER_BUILD_DEADLINE_MS = 600_000;
// More of them would only take each other's time.
const JOBS_AT_ONCE_MAX = 4;
const OUTPUT_LINES_SHOWN = 150;

const children = new ChildRunner();

async function main(): Promise<number> {
  const start = performance.now();
  const options = readTestOptions(process.argv.slice(2));
  const scale = Number(process.env["RP_TEST_SCALE"] ?? "1");
  const jobs = planJobs(projectRoot, { ...options, scale });
  console.log(`${jobs.length} test files, counts x${scale}, ${describeOrder(options)}`);
  const rows = [...checkTools(), ...await prepare()];
  const finished = await runJobs(await makeFileRunner(), jobs);
  rows.push(...judgeJobs(finished));
  if (jobs.length === 0) rows.push(row("tests", "none", false, 0));
  console.log(`\n${formatTable(sumRows(rows))}`);
  console.log(`\n${((performance.now() - start) / 1_000).toFixed(0)} s`);
  console.log(formatTotal(rows));
  return rows.some(({ failed }) => failed > 0) ? 1 : 0;
}

function describeOrder({ seed }: TestOptions): string {
  return seed === undefined ? "in the order of their names" : `shuffled by seed ${seed}`;
}

function row(suite: string, runtime: string, isGood: boolean, seconds: number): TableRow {
  return { suite, runtime, passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0, seconds };
}

function checkTools(): TableRow[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return Object.entries(TOOLS_NEEDED).map(([tool, use]) => {
    const isThere = folders.some((folder) => existsSync(join(folder, tool)));
    if (!isThere) console.log(`Missing tool: "${tool}" is not on the PATH (${use})`);
    return row("tools", tool, isThere, 0);
  });
}

/** The one type check of the run, and the Rust peer where its sources are. */
async function prepare(): Promise<TableRow[]> {
  const rows = [
    await step("typecheck", "deno", process.execPath, ["check", "--quiet"], TYPE_CHECK_DEADLINE_MS),
  ];
  const manifest = projectFile("tests/interop/peer/Cargo.toml");
  if (existsSync(manifest)) {
    const args = ["build", "--release", "--locked", "--quiet", "--manifest-path", manifest];
    rows.push(await step("peer build", "rust", "cargo", args, PEER_BUILD_DEADLINE_MS));
  }
  return rows;
}

async function step(suite: string, runtime: string, command: string, args: string[], deadlineMs: number) {
  const { code, output, seconds } = await children.run({ command, args, cwd: projectRoot, deadlineMs });
  if (code !== 0) showFailure(`${suite}: ${command} ended with ${code}`, [], output);
  return row(suite, runtime, code === 0, seconds);
}

async function makeFileRunner(): Promise<FileRunner> {
  const executables = ensureRuntimes(runtimeNames);
  await buildForNode();
  await stop();
  mkdirSync(projectFile(".build"), { recursive: true });
  const env = { [TOOLCHAIN_ENV]: JSON.stringify(executables), RP_NODE_BUILD_READY: "1" };
  const scratch = mkdtempSync(projectFile(".build/test-"));
  return { root: projectRoot, scratch, executables, env, children };
}

/** Side by side what may be, then the rest one by one. */
async function runJobs(runner: FileRunner, jobs: readonly TestJob[]): Promise<FinishedJob[]> {
  const finished: FinishedJob[] = [];
  const together = jobs.filter(({ isAlone }) => !isAlone);
  const alone = jobs.filter(({ isAlone }) => isAlone);
  const lane = async (queue: TestJob[]) => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const run = await runTestFile(runner, job);
      finished.push({ job, run });
      if (run.code !== 0) console.log(`failing: ${job.path} in ${job.runtime}, details below`);
      if (finished.length % 50 === 0) console.log(`${finished.length} of ${jobs.length} files done`);
    }
  };
  try {
    await Promise.all(
      Array.from({ length: Math.min(availableParallelism(), JOBS_AT_ONCE_MAX) }, () => lane(together)),
    );
    await lane(alone);
  } finally {
    rmSync(runner.scratch, { recursive: true, force: true });
  }
  return finished;
}

function judgeJobs(finished: readonly FinishedJob[]): TableRow[] {
  const order = [...finished].sort((a, b) =>
    a.job.suite === b.job.suite ? 0 : a.job.suite < b.job.suite ? -1 : 1
  );
  return order.map(({ job, run }) => {
    const source = readFileSync(projectFile(job.path), "utf8");
    const verdict = judgeFile(run, (name) => skipReason(finished, job, source, name));
    const title = `${job.path} in ${job.runtime}`;
    if (verdict.failed > 0) showFailure(title, verdict.problems, run.output);
    for (const skip of verdict.skips) console.log(`skipped: ${title}: ${skip}`);
    const { passed, failed, skipped } = verdict;
    return { suite: job.suite, runtime: job.runtime, passed, failed, skipped, seconds: run.seconds };
  });
}

/** As the source says, or as another runtime reported for the same test. */
function skipReason(
  finished: readonly FinishedJob[],
  job: TestJob,
  source: string,
  name: string,
): string | undefined {
  const fromSource = skipReasonInSource(source, name.split(" > ").at(-1) ?? name);
  if (fromSource !== undefined) return fromSource;
  return finished.filter((other) => other.job.path === job.path)
    .flatMap(({ run }) => run.cases)
    .find((other) => other.name === name && other.reason !== undefined)?.reason;
}

function showFailure(title: string, problems: readonly string[], output: string): void {
  const lines = output.trimEnd().split("\n");
  const shown = lines.slice(-OUTPUT_LINES_SHOWN);
  console.log(`\nFAILED ${title}`);
  for (const problem of problems) console.log(`  - ${problem}`);
  if (shown.length < lines.length) console.log(`  | (${lines.length - shown.length} lines before)`);
  for (const line of shown) console.log(`  | ${line}`);
}

if (import.meta.main) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      children.killAll();
      console.log("0 passed, 1 failed");
      process.exit(130);
    });
  }
  try {
    process.exitCode = await main();
  } catch (error) {
    console.log(error);
    console.log("0 passed, 1 failed");
    process.exitCode = 1;
  }
}
