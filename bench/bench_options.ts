import { type RuntimeName, runtimeNames } from "../scripts/runtime_name.ts";
import type { CoreCount } from "./cores.ts";
import { type CaseName, caseNames } from "./cases.ts";

/** The command line of a benchmark. */
export interface BenchOptions {
  readonly runtimes: readonly RuntimeName[];
  readonly cases: readonly CaseName[];
  readonly cores: readonly CoreCount[];
  /** Of each latency. */
  readonly samples: number;
  /** Prints JSON lines instead of the table. */
  readonly isJson: boolean;
  /** Draws the distributions, too. */
  readonly isReported: boolean;
  /** Judges the Hello budget and measures nothing else. */
  readonly isGate: boolean;
}

/** A P99 of fewer samples is decided by a handful of pauses. */
const SAMPLES_DEFAULT = 10_000;
const CORES: readonly CoreCount[] = [1, 2];
/** Node 26 runs the same build as Node 24; it is there for those who ask. */
const RUNTIMES_BY_DEFAULT: readonly RuntimeName[] = ["deno", "bun", "node20", "node24"];

/** Reads `--json --report --gate --cases a,b --runtimes deno,bun --samples 10000 --cores 1,2`. */
export function readBenchOptions(args: readonly string[]): BenchOptions {
  const options = {
    runtimes: RUNTIMES_BY_DEFAULT,
    cases: caseNames as readonly CaseName[],
    cores: CORES,
    samples: SAMPLES_DEFAULT,
    isJson: false,
    isReported: false,
    isGate: false,
  };
  const rest = [...args];
  const listed = <Value>(name: string, known: readonly Value[]): Value[] => {
    const values = (rest.shift() ?? "").split(",");
    return values.map((value) => {
      const found = known.find((one) => String(one) === value);
      if (found === undefined) throw new TypeError(`Not of ${name}: "${value}", wanted ${known.join(", ")}`);
      return found;
    });
  };
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "--json") options.isJson = true;
    else if (name === "--report") options.isReported = true;
    else if (name === "--gate") options.isGate = true;
    else if (name === "--runtimes") options.runtimes = listed(name, runtimeNames);
    else if (name === "--cases") options.cases = listed(name, caseNames);
    else if (name === "--cores") options.cores = listed(name, CORES);
    else if (name === "--samples") options.samples = readCount(rest.shift() ?? "");
    else throw new TypeError(`Not an option: "${name}"`);
  }
  return options;
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new TypeError(`Not a count: "${text}"`);
  return count;
}
