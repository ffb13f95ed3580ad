// This module has no I/O.
import type { RuntimeName } from "../runtime_name.ts";
import { runtimeNames } from "../runtime_name.ts";

/** What a test file says about how to run it, in comments before its first import. */
export interface TestDirectives {
  /** `// run-in: deno, node20`: the file spans runtimes by itself. */
  runIn: readonly RuntimeName[] | undefined;
  /** `// deadline-s: 300`: it takes longer than its suite's default. */
  deadlineMs: number | undefined;
  /** `// run-alone: reason`: it measures time or fills the machine. */
  isAlone: boolean;
}

/** Only suites that start processes of every runtime themselves may choose where they run. */
const SUITES_MAY_CHOOSE = new Set([
  "interop",
  "faults",
  "processes",
  "endurance",
  "sim",
  "package",
  "structure",
]);

/** Reads a test file's directives. Throws on one that is misspelt or not allowed. */
export function readDirectives(suite: string, source: string): TestDirectives {
  const head = /^(?:\s*\/\/[^\n]*\n)*/.exec(source)?.[0] ?? "";
  const directives: TestDirectives = { runIn: undefined, deadlineMs: undefined, isAlone: false };
  for (const [, name, value = ""] of head.matchAll(/^\s*\/\/ (run-in|deadline-s|run-alone):[ ]*(.*)$/gm)) {
    if (name === "run-in") directives.runIn = readRuntimes(suite, value);
    if (name === "deadline-s") directives.deadlineMs = readSeconds(value) * 1_000;
    if (name === "run-alone") directives.isAlone = true;
  }
  return directives;
}

function readRuntimes(suite: string, value: string): RuntimeName[] {
  if (!SUITES_MAY_CHOOSE.has(suite)) {
    throw new Error(`Suite "${suite}" runs in every runtime: no run-in wanted`);
  }
  return value.split(",").map((part) => readRuntime(part.trim()));
}

/** Reads a runtime's name, as in a directive or an option. */
export function readRuntime(name: string): RuntimeName {
  const runtime = runtimeNames.find((known) => known === name);
  if (runtime === undefined) {
    throw new Error(`Not a runtime: "${name}", wanted one of ${runtimeNames.join(", ")}`);
  }
  return runtime;
}

function readSeconds(value: string): number {
  const seconds = Number(value);
  if (!(seconds > 0)) throw new Error(`Not a number of seconds: "${value}"`);
  return seconds;
}
