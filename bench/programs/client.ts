// A client that is measured. argv: the options of connectToBackend() as JSON. Commands come on standard input, as
// bench/measurer.ts writes them: `MODE CLIENTS SAMPLES GAP_US FILE`.
import { appendFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { ConnectBackendRequest } from "../../mod.ts";
import { BenchClient, isClientMode } from "./bench_client.ts";
import { frameOperation } from "./frame_operation.ts";

/** Operations of one sample where one is too short for the clock. */
const FRAMES_PER_SAMPLE = 50;

const options: ConnectBackendRequest = JSON.parse(process.argv[2] ?? "{}");
const client = new BenchClient(options);

/** One operation of a mode, in microseconds. */
function operationOf(mode: string): () => number | Promise<number> {
  if (isClientMode(mode)) return () => client.once(mode);
  if (mode === "adopted-1mib") return client.transfers();
  const operation = frameOperation(mode);
  return () => {
    const startMs = performance.now();
    for (let i = 0; i < FRAMES_PER_SAMPLE; i++) operation();
    return (performance.now() - startMs) * 1_000 / FRAMES_PER_SAMPLE;
  };
}

async function run(line: string): Promise<string> {
  const [mode = "", clients, samples, gapUs, file = ""] = line.split(" ");
  const operation = operationOf(mode);
  const taken = new Float64Array(Number(samples));
  let next = 0;
  const loop = async () => {
    for (let i = next++; i < taken.length; i = next++) {
      if (Number(gapUs) > 0) await delay(Number(gapUs) / 1_000);
      taken[i] = await operation();
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: Number(clients) }, loop));
  const elapsedUs = (performance.now() - startMs) * 1_000;
  client.endTransfers();
  appendFileSync(file, new Uint8Array(taken.buffer));
  return `done ${elapsedUs.toFixed(3)} ${client.takeFallbacks()}`;
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) console.log(await run(line));
process.exit(0);
