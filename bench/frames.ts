import { spawnSync } from "node:child_process";
import { onCores } from "./cores.ts";
import { interleave } from "./interleave.ts";
import { type Lab, subjectOf } from "./lab.ts";
import type { Latencies } from "./latencies.ts";
import { figure, summarize } from "./measurement.ts";
import { frameSizes } from "./programs/frame_operation.ts";

/** Half a second for each of a dozen kinds, started from cold. */
const REFERENCE_DEADLINE_MS = 60_000;
const WARMUPS = 200;
/** A sample is the mean of fifty operations already. */
const FEWER = 10;

/** Encoding and decoding one frame, without any connection; the reference's own benchmark tells only its mean. */
export async function measureFrames(lab: Lab, samples: number): Promise<Latencies[]> {
  const common = { cores: lab.cores, clients: 1, beside: lab.runtime };
  const kinds = (["encode", "decode"] as const).flatMap((act) =>
    Object.entries(frameSizes).map(([size, bytes]) => ({ act, size, name: `frame-${act}-${bytes}` }))
  );
  const series = kinds.map(({ name }) => ({ measurer: lab.measurers.own, mode: name, clients: 1, gapUs: 0 }));
  const results = await interleave(lab.dir, series, {
    samples: Math.ceil(samples / FEWER),
    warmups: WARMUPS,
  });
  const reference = referenceFrames(lab);
  return results.flatMap(({ sorted }, index) => {
    const { act, size, name } = kinds[index]!;
    const [own, rust] = [subjectOf(lab, "own"), subjectOf(lab, "reference")];
    const elapsedUs = sorted.reduce((sum, us) => sum + us, 0);
    const mean = reference.get(`d.frame ${act} (${size})`);
    if (mean === undefined) throw new Error(`The reference's benchmark tells nothing of "${act} (${size})"`);
    return [
      { measurement: summarize({ case: name, ...own, ...common }, sorted, elapsedUs, 0), sorted },
      {
        measurement: figure({ case: name, ...rust, ...common }, mean.n, Math.round(1e9 / mean.ns)),
        sorted: new Float64Array(),
      },
    ];
  });
}

function referenceFrames({ cores, programs }: Lab): Map<string, { ns: number; n: number }> {
  const { command, args } = onCores(cores, { command: programs.peer.bench, args: ["--only", "d"] });
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: REFERENCE_DEADLINE_MS,
  });
  if (status !== 0) throw new Error(`The reference's benchmark ended with ${status}: ${stderr}`);
  const lines = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return new Map(lines.map((line) => [line.bench, { ns: line.ns_per_op, n: line.n }]));
}
