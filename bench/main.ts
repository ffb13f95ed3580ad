// Measures ours against the reference, in turns: `deno task bench`; see bench/README.md for the options.
import process from "node:process";
import type { RuntimeName } from "../scripts/runtime_name.ts";
import { type BenchOptions, readBenchOptions } from "./bench_options.ts";
import { measureBrokerStart } from "./broker_start.ts";
import { type BenchPrograms, buildBenchPrograms } from "./build_programs.ts";
import { groups } from "./cases.ts";
import type { CoreCount } from "./cores.ts";
import { measureFrames } from "./frames.ts";
import { passGate } from "./gate.ts";
import { openLab } from "./lab.ts";
import { type Latencies, measureGroup } from "./latencies.ts";
import { describeMachine } from "./machine.ts";
import type { Measurement } from "./measurement.ts";
import { measureMemory } from "./memory.ts";
import { drawReport } from "./report/draw_report.ts";
import { measureStartUp } from "./start_up.ts";
import { formatTable } from "./table.ts";

async function measure(
  { cases, samples }: BenchOptions,
  programs: BenchPrograms,
  runtime: RuntimeName,
  cores: CoreCount,
  found: (one: Latencies) => void,
): Promise<void> {
  await using lab = await openLab(programs, runtime, cores);
  const noSamples = (measurement: Measurement) => ({ measurement, sorted: new Float64Array() });
  // First, while the brokers are fresh; what it does warms them up.
  if (cases.includes("memory")) (await measureMemory(lab)).map(noSamples).forEach(found);
  for (const group of groups) (await measureGroup(lab, group, cases, samples)).forEach(found);
  if (cases.includes("frame")) (await measureFrames(lab, samples)).forEach(found);
  if (cases.includes("start")) measureStartUp(lab, samples).forEach(found);
  if (cases.includes("start-broker")) (await measureBrokerStart(lab, samples)).forEach(found);
}

const options = readBenchOptions(process.argv.slice(2));
// Whoever reads the lines by program does not want these among them.
const tell = options.isJson ? console.error : console.log;
for (const line of describeMachine(options.runtimes)) tell(line);
const programs = await buildBenchPrograms();
if (options.isGate) process.exit(await passGate(programs, options.runtimes));
const all: Latencies[] = [];
for (const cores of options.cores) {
  for (const runtime of options.runtimes) {
    console.error(`${runtime} on ${cores} core${cores === 1 ? "" : "s"}`);
    await measure(options, programs, runtime, cores, (one) => {
      all.push(one);
      if (options.isJson) console.log(JSON.stringify(one.measurement));
    });
  }
}
if (!options.isJson) console.log(formatTable(all.map(({ measurement }) => measurement)));
if (options.isReported) { for (const path of await drawReport(all)) tell(path); }
