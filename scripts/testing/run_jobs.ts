import { availableParallelism } from "node:os";
import type { TestJob } from "./plan.ts";
import { type FileRunner, type FileRunWithOutput, runTestFile } from "./run_file.ts";

/** A job and what came of it. */
export interface FinishedJob {
  job: TestJob;
  run: FileRunWithOutput;
}

// More of them would only take each other's time.
const JOBS_AT_ONCE_MAX = 4;
const JOBS_PER_PROGRESS_LINE = 50;

/** Runs side by side what may be, then the rest one by one; starts nothing after the end of the run's time. */
export async function runJobs(
  runner: FileRunner,
  jobs: readonly TestJob[],
  runDeadlineMs: number,
): Promise<FinishedJob[]> {
  const end = performance.now() + runDeadlineMs;
  const finished: FinishedJob[] = [];
  const lane = async (queue: TestJob[]) => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const run = performance.now() > end ? notStarted(job) : await runTestFile(runner, job);
      finished.push({ job, run });
      if (run.code !== 0) console.log(`failing: ${job.path} in ${job.runtime}, details below`);
      if (finished.length % JOBS_PER_PROGRESS_LINE === 0) {
        console.log(`${finished.length} of ${jobs.length} done`);
      }
    }
  };
  const together = jobs.filter(({ isAlone }) => !isAlone);
  const lanes = Math.min(availableParallelism(), JOBS_AT_ONCE_MAX);
  await Promise.all(Array.from({ length: lanes }, () => lane(together)));
  await lane(jobs.filter(({ isAlone }) => isAlone));
  return finished;
}

/** Counts as a failure. */
function notStarted({ deadlineMs }: TestJob): FileRunWithOutput {
  const ending = { code: null, signal: null, isTimedOut: false, isNotStarted: true };
  return { cases: [], ...ending, deadlineMs, leftovers: [], output: "", seconds: 0 };
}
