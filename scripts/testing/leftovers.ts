import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** Each job's children inherit this variable with a value of their own: that is how they are found again. */
export const JOB_ENV = "RP_TEST_JOB";
/** The same for all jobs of one run. */
export const RUN_ENV = "RP_TEST_RUN";

// A process that was just told to end needs a moment.
const GRACE_MS = 1_000;
const POLL_MS = 20;

/**
 * Ends every process that a job left running and gives their command lines.
 *
 * A helper that moved into a session of its own does not die with its group; it is found by the job's mark.
 * Needs /proc: elsewhere nothing is found.
 */
export async function endLeftovers(mark: string): Promise<string[]> {
  const end = performance.now() + GRACE_MS;
  let pids = findMarked(JOB_ENV, mark);
  while (pids.length > 0 && performance.now() < end) {
    await delay(POLL_MS);
    pids = findMarked(JOB_ENV, mark);
  }
  const commands = pids.map((pid) =>
    readProc(pid, "cmdline").replaceAll("\0", " ").trim() || `process ${pid}`
  );
  kill(pids);
  return commands;
}

/** Ends everything that any job of a run has started, at once. */
export function endRun(mark: string): void {
  kill(findMarked(RUN_ENV, mark));
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      // ESRCH: it ended by itself at last, but too late.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function findMarked(name: string, mark: string): number[] {
  if (process.platform !== "linux") return [];
  const entry = `${name}=${mark}\0`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && readProc(Number(name), "environ").includes(entry))
    .map(Number);
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It ended meanwhile, or belongs to another user and is none of ours.
    return "";
  }
}
