import { spawnSync } from "node:child_process";
import process from "node:process";
import { runtimeCommand } from "../tests/support/runtimes.ts";
import type { ProcessCommand } from "../tests/support/spawn.ts";
import { SERVICE, VERSION } from "../tests/support/topology.ts";
import { onCores } from "./cores.ts";
import { type Lab, subjectOf } from "./lab.ts";
import type { MeasurerKind } from "./cases.ts";
import type { Latencies } from "./latencies.ts";
import { summarize } from "./measurement.ts";

/** A process takes a hundred times as long as a connection. */
const FEWER = 100;
const PROCESS_DEADLINE_MS = 60_000;

/** From the start of a client's process over its first answered request to its end, by turns with the Rust client. */
export function measureStartUp(lab: Lab, samples: number): Latencies[] {
  const { runtime, cores, ours, reference, programs } = lab;
  const options = JSON.stringify({
    service: SERVICE,
    version: VERSION,
    broker: ours.brokerEndpoint,
    bytes: 64,
  });
  const rust = ["connect", "--broker", reference.brokerEndpoint, "--service", SERVICE, "--version", VERSION];
  const commands: readonly [MeasurerKind, ProcessCommand][] = [
    ["floor", { command: "true", args: [] }],
    ["own", runtimeCommand(runtime, "tests/processes/client.ts", [options])],
    ["reference", { command: programs.peer.client, args: [...rust, "--adopt", "--send", "x".repeat(64)] }],
  ];
  const runs = commands.map(([kind, command]) => ({
    kind,
    command: onCores(cores, command),
    taken: [] as number[],
  }));
  const count = Math.ceil(samples / FEWER);
  // The first round fills the caches of files.
  for (let round = 0; round <= count; round++) {
    for (const { command, taken } of runs) {
      const us = processUs(command);
      if (round > 0) taken.push(us);
    }
  }
  return runs.map(({ kind, taken }) => {
    const key = { case: "start", ...subjectOf(lab, kind), cores, clients: 1, beside: runtime };
    const sorted = Float64Array.from(taken).sort();
    const elapsedUs = taken.reduce((sum, us) => sum + us, 0);
    return { measurement: summarize(key, sorted, elapsedUs, 0), sorted };
  });
}

function processUs({ command, args, env }: Required<ProcessCommand>): number {
  const startMs = performance.now();
  const { status, stderr } = spawnSync(command, args, {
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: PROCESS_DEADLINE_MS,
  });
  if (status !== 0) throw new Error(`"${args.join(" ")}" ended with ${status}: ${stderr}`);
  return (performance.now() - startMs) * 1_000;
}
