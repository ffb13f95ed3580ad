import { HELLO_SAMPLES_MIN, HELLO_WARMUPS } from "../src/broker/perf_guard.ts";
import type { RuntimeName } from "../scripts/runtime_name.ts";
import { makeTempDir } from "../tests/support/temp_dir.ts";
import type { BenchPrograms } from "./build_programs.ts";
import { onCores } from "./cores.ts";
import { gateExitCode, type GateSamples, type GateVerdict, judgeGate, judgeRuns } from "./gate_verdict.ts";
import { interleave } from "./interleave.ts";
import { Measurer } from "./measurer.ts";
import { startOurs } from "./pair.ts";
import { clientBytes } from "./request.ts";

/** As they are used: what wakes up whom is part of it. */
const CORES = 2;

/** Judges the Hello budget of our broker in each runtime, and prints the counts last. @returns The exit code. */
export async function passGate(programs: BenchPrograms, runtimes: readonly RuntimeName[]): Promise<number> {
  const kinds: GateVerdict["kind"][] = [];
  for (const runtime of runtimes) {
    kinds.push(
      await judgeRuns(async () => {
        const verdict = judgeGate(await measureGate(programs, runtime));
        console.log(`${runtime}: ${verdict.kind === "noisy" ? "" : `${verdict.kind}: `}${verdict.text}`);
        return verdict;
      }),
    );
  }
  const passed = kinds.filter((kind) => kind === "passed").length;
  console.log(`${passed} passed, ${kinds.length - passed} failed`);
  return gateExitCode(kinds);
}

/** One run: Hellos of one Rust client to our broker, in turns with the floor. */
export async function measureGate(programs: BenchPrograms, runtime: RuntimeName): Promise<GateSamples> {
  await using dir = await makeTempDir();
  await using pair = await startOurs(runtime, CORES);
  const { plain, adopting, request } = clientBytes();
  await using load = await Measurer.start(onCores(CORES, {
    command: programs.load,
    args: [pair.brokerEndpoint, plain, adopting, request],
  }));
  await using floor = await Measurer.start(onCores(CORES, { command: programs.floor, args: [dir.path] }));
  const one = { clients: 1, gapUs: 0 };
  const results = await interleave(dir, [
    { ...one, measurer: load, mode: "hello" },
    { ...one, measurer: floor, mode: "floor-work" },
  ], { samples: HELLO_SAMPLES_MIN, warmups: HELLO_WARMUPS });
  const [hello, floorWork] = results.map(({ sorted }) => sorted);
  return { hello: hello ?? [], floor: floorWork ?? [] };
}
