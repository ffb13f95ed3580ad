import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { projectFile } from "../../tests/support/project.ts";
import { startProcess } from "../../tests/support/spawn.ts";
import { makeTempDir } from "../../tests/support/temp_dir.ts";
import type { Latencies } from "../latencies.ts";
import { percentile } from "../percentile.ts";

/** One point of a distribution, as the drawing program takes it. */
export interface DistributionPoint {
  /** The panel it is drawn in. */
  readonly panel: string;
  /** The line it is on. */
  readonly line: string;
  readonly percent: number;
  readonly us: number;
}

/** Ways to a first answered request by one client, back to back: what the distributions are drawn of. */
const CASES_DRAWN = new Set(["reconnect", "handoff", "handoff-early"]);
/** Downloading the plotting library the first time takes most of it. */
const DRAW_DEADLINE_MS = 300_000;
const OUTPUT_FOLDER = "bench/report";
/** Finer where the eye looks: at the tail. */
const PERCENTS = [...Array.from({ length: 98 }, (_, index) => index + 1), 98.5, 99, 99.5];

/** Draws the distributions, one picture for each number of cores. @returns The pictures' paths. */
export async function drawReport(found: readonly Latencies[]): Promise<string[]> {
  const drawn = found.filter(({ measurement: one }) =>
    CASES_DRAWN.has(one.case) && one.clients === 1 && one.gap_ms === undefined
  );
  mkdirSync(projectFile(OUTPUT_FOLDER), { recursive: true });
  const cores = [...new Set(drawn.map(({ measurement }) => measurement.cores))];
  return await Promise.all(cores.map(async (count) => {
    const path = `${OUTPUT_FOLDER}/first_answer_${count}_core${count === 1 ? "" : "s"}.svg`;
    const points = drawn.filter(({ measurement }) => measurement.cores === count).flatMap(pointsOf);
    await draw(points, projectFile(path));
    return path;
  }));
}

function pointsOf({ measurement: one, sorted }: Latencies): DistributionPoint[] {
  const line = one.peer === "rust"
    ? `Rust: ${one.case}`
    : `${one.case}, ${one.client === "own" ? "own" : "C"} client`;
  return PERCENTS.map((percent) => ({ panel: one.beside, line, percent, us: percentile(sorted, percent) }));
}

/** In a process of its own, since only that one knows the plotting library. */
async function draw(points: readonly DistributionPoint[], path: string): Promise<void> {
  await using dir = await makeTempDir();
  const input = dir.join("points.json");
  writeFileSync(input, JSON.stringify(points));
  const flags = ["run", "-A", "--quiet", "--no-check", "--no-config", "--node-modules-dir=none"];
  const lock = ["--frozen", "--lock", projectFile(join("bench", "report", "deno.lock"))];
  await using child = startProcess({
    command: process.execPath,
    args: [...flags, ...lock, projectFile("bench/report/draw_svg.ts"), input, path],
  });
  const { code, signal } = await child.waitForExit({ deadlineMs: DRAW_DEADLINE_MS });
  if (code !== 0) {
    throw new Error(`Cannot draw "${path}": it ended with ${code ?? signal}\n${child.stderrTail.join("\n")}`);
  }
}
