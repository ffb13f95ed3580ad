import { buildSync } from "esbuild";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RuntimeName } from "../scripts/runtime_name.ts";
import { ensureRuntime } from "../scripts/toolchain.ts";
import { projectFile } from "../tests/support/project.ts";
import { runtimeCommand } from "../tests/support/runtimes.ts";
import { type ProcessCommand, startProcess } from "../tests/support/spawn.ts";
import { makeTempDir } from "../tests/support/temp_dir.ts";
import { run } from "./build_programs.ts";
import { onCores } from "./cores.ts";
import type { Lab } from "./lab.ts";
import type { Latencies } from "./latencies.ts";
import { summarize } from "./measurement.ts";
import { runtimeSubject } from "./runtime_version.ts";

/** A process takes a hundred times as long as a connection. */
const FEWER = 100;
/** Milliseconds between two looks for the endpoint. */
const LOOK_MS = 1;
const START_DEADLINE_MS = 60_000;

/** From the start of a broker's process until its endpoint is there, in each way to start it, by turns. */
export async function measureBrokerStart({ runtime, cores }: Lab, samples: number): Promise<Latencies[]> {
  const runs = Object.entries(waysToStart(runtime)).map(([name, command]) => ({
    name,
    command,
    taken: [] as number[],
  }));
  const count = Math.ceil(samples / FEWER);
  // The first round fills the caches of files.
  for (let round = 0; round <= count; round++) {
    for (const { command, taken } of runs) {
      const us = await startUs(onCores(cores, command));
      if (round > 0) taken.push(us);
    }
  }
  return runs.map(({ name, taken }) => {
    const who = { ...runtimeSubject(runtime), peer: "ours", client: "own" } as const;
    const key = { case: name, ...who, cores, clients: 1, beside: runtime };
    const elapsedUs = taken.reduce((sum, us) => sum + us, 0);
    const sorted = Float64Array.from(taken).sort();
    return { measurement: summarize(key, sorted, elapsedUs, 0), sorted };
  });
}

/** `deno compile` is not among them: it loads the runtime it compiles into from the network each time. */
function waysToStart(runtime: RuntimeName): Record<string, ProcessCommand> {
  const folder = projectFile(join(".build", "bench"));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "broker.mjs");
  const options = { bundle: true, platform: "node", format: "esm", target: "node20" } as const;
  buildSync({ ...options, entryPoints: [projectFile("cli.ts")], external: ["koffi"], outfile: file });
  const plain = runtimeCommand(runtime, "cli.ts");
  const args = runtime === "deno" ? [...plain.args.slice(0, -1), file] : [file];
  const ways = { "start-broker": plain, "start-broker-bundle": { ...plain, args } };
  if (runtime !== "bun") return ways;
  const program = join(folder, "broker");
  run(ensureRuntime("bun"), ["build", "--compile", "--outfile", program, projectFile("cli.ts")]);
  return { ...ways, "start-broker-compile": { command: program, args: [] } };
}

async function startUs({ command, args, env }: ProcessCommand): Promise<number> {
  await using dir = await makeTempDir();
  const [endpoint, services] = [dir.join("br.sock"), dir.join("services")];
  mkdirSync(services, { mode: 0o700 });
  const startMs = performance.now();
  await using broker = startProcess({
    command,
    args: [...args, "--serve-launch", endpoint, "--service-def-dir", services],
    env: { ...env, RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1", XDG_STATE_HOME: dir.path },
  });
  // The name is given to a socket that listens.
  while (!existsSync(endpoint)) {
    if (performance.now() - startMs > START_DEADLINE_MS) {
      throw new Error(`A broker did not start: ${broker.stderrTail.join("\n")}`);
    }
    await delay(LOOK_MS);
  }
  return (performance.now() - startMs) * 1_000;
}
