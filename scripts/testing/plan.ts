import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeName } from "../runtime_name.ts";
import { readDirectives } from "./directives.ts";

/** One test file in one runtime. */
export interface TestJob {
  /** Relative to the project, with forward slashes. */
  path: string;
  /** The folder of `tests/` it is in. */
  suite: string;
  runtime: RuntimeName;
  deadlineMs: number;
  /** Runs while no other test runs. */
  isAlone: boolean;
}

/** What to run. */
export interface PlanOptions {
  runtimes: readonly RuntimeName[];
  /** Only files whose path contains this. */
  filter: string;
  /** Shuffles the files. */
  seed: number | undefined;
  /** Multiplies every deadline, as the long runs multiply their counts. */
  scale: number;
}

// A unit test file takes a second or two; the rest is for a busy machine.
const UNIT_DEADLINE_MS = 60_000;
const PROCESS_DEADLINE_MS = 240_000;
// They start processes, watch descriptors and measure time.
const PROCESS_SUITES = new Set(["interop", "faults", "processes", "endurance", "package"]);

/** Every job in the order to start them: first those that may run side by side. */
export function planJobs(root: string, options: PlanOptions): TestJob[] {
  const paths = listTests(root, "tests").filter((path) => path.includes(options.filter)).sort();
  const ordered = options.seed === undefined ? paths : shuffle(paths, options.seed);
  const jobs = ordered.flatMap((path) => jobsOf(root, path, options));
  return [...jobs.filter(({ isAlone }) => !isAlone), ...jobs.filter(({ isAlone }) => isAlone)];
}

function jobsOf(root: string, path: string, { runtimes, scale }: PlanOptions): TestJob[] {
  const suite = path.split("/").length > 2 ? path.split("/")[1] ?? "" : "tests";
  const directives = readDirectives(suite, readFileSync(join(root, path), "utf8"));
  const usual = PROCESS_SUITES.has(suite) ? PROCESS_DEADLINE_MS : UNIT_DEADLINE_MS;
  const deadlineMs = (directives.deadlineMs ?? usual) * Math.max(1, scale);
  const isAlone = directives.isAlone || PROCESS_SUITES.has(suite);
  return runtimes
    .filter((runtime) => directives.runIn?.includes(runtime) ?? true)
    .map((runtime) => ({ path, suite, runtime, deadlineMs, isAlone }));
}

function listTests(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "target" ? [] : listTests(root, path);
    return entry.name.endsWith("_test.ts") ? [path] : [];
  });
}

/** Fisher and Yates, with a small generator (mulberry32) so that a seed means the same order anywhere. */
export function shuffle<Item>(items: readonly Item[], seed: number): Item[] {
  const rest = [...items];
  const shuffled: Item[] = [];
  let state = seed >>> 0;
  while (rest.length > 0) {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    shuffled.push(...rest.splice(((mixed ^ (mixed >>> 14)) >>> 0) % rest.length, 1));
  }
  return shuffled;
}
