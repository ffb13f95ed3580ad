import { readdirSync, readFileSync } from "node:fs";
import type { MeasurerKind } from "./cases.ts";
import { type Lab, subjectOf } from "./lab.ts";
import { figure, type Measurement } from "./measurement.ts";
import { takeSamples } from "./measurer.ts";
import type { Pair } from "./pair.ts";

/** Connections after which the broker is looked at. */
const STEPS = [0, 10_000, 100_000] as const;
const CLIENTS = 8;

/** The size of both brokers after more and more handoffs; they must be fresh. */
export async function measureMemory(lab: Lab): Promise<Measurement[]> {
  const sides: readonly [MeasurerKind, Pair][] = [["load", lab.ours], ["reference", lab.reference]];
  const found: Measurement[] = [];
  for (const [kind, pair] of sides) {
    let done = 0;
    for (const step of STEPS) {
      let perSecond: number | null = null;
      if (step > done) {
        const file = lab.dir.join("samples");
        const block = { mode: "handoff", clients: CLIENTS, samples: step - done, gapUs: 0, file };
        const { elapsedUs } = await lab.measurers[kind].run(block);
        takeSamples(file);
        perSecond = Math.round((step - done) / elapsedUs * 1e6);
        done = step;
      }
      const key = { ...subjectOf(lab, kind), cores: lab.cores, clients: CLIENTS, beside: lab.runtime };
      found.push(figure({ case: "memory", ...key, ...sizeOf(pair.brokerPid) }, step, perSecond));
    }
  }
  return found;
}

function sizeOf(pid: number): { rss_kib: number; fds: number } {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return { rss_kib: Number(match?.[1]), fds: readdirSync(`/proc/${pid}/fd`).length };
}
