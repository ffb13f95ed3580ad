// This module has no I/O.
import type { RuntimeName } from "../runtime_name.ts";
import { readRuntime } from "./directives.ts";

/** The command line of the test run. */
export interface TestOptions {
  runtimes: readonly RuntimeName[];
  filter: string;
  seed: number | undefined;
}

/** Node 26 runs the same build as Node 24; it is there for those who ask. */
const RUNTIMES_BY_DEFAULT: readonly RuntimeName[] = ["deno", "bun", "node20", "node24"];

/** Reads `--runtime deno,bun --filter text --shuffle seed`; `--name=value` works, too. */
export function readTestOptions(args: readonly string[]): TestOptions {
  const options: TestOptions = { runtimes: RUNTIMES_BY_DEFAULT, filter: "", seed: undefined };
  const rest = args.flatMap((arg) =>
    /^--\w+=/.test(arg) ? [arg.slice(0, arg.indexOf("=")), arg.replace(/^[^=]*=/, "")] : [arg]
  );
  while (rest.length > 0) {
    const [name, value] = rest.splice(0, 2);
    if (value === undefined) throw new TypeError(`Option "${name}" has no value`);
    if (name === "--runtime") options.runtimes = value.split(",").map(readRuntime);
    else if (name === "--filter") options.filter = value;
    else if (name === "--shuffle") options.seed = readSeed(value);
    else throw new TypeError(`Not an option: "${name}", wanted --runtime, --filter or --shuffle`);
  }
  return options;
}

function readSeed(value: string): number {
  const seed = Number(value);
  if (!Number.isSafeInteger(seed) || value === "") throw new TypeError(`Not a seed: "${value}"`);
  return seed;
}
