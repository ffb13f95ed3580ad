// This module has no I/O.
import {
  checkHelloBudget,
  HELLO_P50_MAX_US,
  HELLO_P99_MAX_US,
  type HelloLatencySummary,
  helloPerfErrorText,
  summarizeHelloLatencies,
} from "../src/broker/perf_guard.ts";

/** Where a C program takes three quarters of the budget for as much work, nothing can be said about a broker. */
export const FLOOR_P50_NOISY_US: number = HELLO_P50_MAX_US * 3 / 4;
/** The same for the slowest hundredth. */
export const FLOOR_P99_NOISY_US: number = HELLO_P99_MAX_US * 3 / 4;
/** What the gate says by its exit code when nothing can be said about the broker. */
export const EXIT_TOO_NOISY = 77;
/** What else a machine does makes Hellos slower and never faster: one run within the budget shows that it is kept. */
export const GATE_RUNS_MAX = 3;

/** What one run of the gate measured, in turns; microseconds. */
export interface GateSamples {
  readonly hello: ArrayLike<number>;
  /** A connect, a server that computes as long as a broker, one byte back: no runtime and no protocol. */
  readonly floor: ArrayLike<number>;
}

/** What a run says about the broker. */
export type GateVerdict = {
  readonly kind: "passed" | "exceeded" | "noisy";
  /** One line for people. */
  readonly text: string;
};

/** Judges one run; a machine that is too noisy says nothing about the broker, whatever was measured. */
export function judgeGate({ hello, floor }: GateSamples): GateVerdict {
  const floorSummary = summarizeHelloLatencies(floor);
  if (floorSummary === undefined) throw new RangeError("Cannot judge a run without samples of the floor");
  const verdict = checkHelloBudget(hello);
  const shown = `Hello ${describe(verdict.summary)}, floor ${describe(floorSummary)} (P50/P99)`;
  if (floorSummary.p50Us > FLOOR_P50_NOISY_US || floorSummary.p99Us > FLOOR_P99_NOISY_US) {
    const bounds = `${FLOOR_P50_NOISY_US}/${FLOOR_P99_NOISY_US} us`;
    return { kind: "noisy", text: `machine too noisy: ${shown}, where the floor may take ${bounds}` };
  }
  if (!verdict.ok) return { kind: "exceeded", text: `${helloPerfErrorText(verdict.error)}: ${shown}` };
  return { kind: "passed", text: shown };
}

/** Repeats a run that does not pass. @returns What counts: a pass, else that a budget was exceeded, else the noise. */
export async function judgeRuns(run: () => Promise<GateVerdict>): Promise<GateVerdict["kind"]> {
  const kinds: GateVerdict["kind"][] = [];
  while (kinds.length < GATE_RUNS_MAX && kinds.at(-1) !== "passed") kinds.push((await run()).kind);
  return (["passed", "exceeded", "noisy"] as const).find((kind) => kinds.includes(kind))!;
}

/** The exit code for the verdicts of all runtimes. */
export function gateExitCode(kinds: readonly GateVerdict["kind"][]): number {
  if (kinds.includes("exceeded")) return 1;
  return kinds.includes("noisy") ? EXIT_TOO_NOISY : 0;
}

function describe(summary: HelloLatencySummary | undefined): string {
  if (summary === undefined) return "not measured";
  return `${summary.p50Us.toFixed(1)}/${summary.p99Us.toFixed(1)} us`;
}
