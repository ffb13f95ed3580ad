import type { RuntimeName } from "../scripts/runtime_name.ts";
import { runtimeCommand } from "../tests/support/runtimes.ts";
import { makeTempDir, type TempDir } from "../tests/support/temp_dir.ts";
import { SERVICE, VERSION } from "../tests/support/topology.ts";
import type { ProcessCommand } from "../tests/support/spawn.ts";
import type { BenchPrograms } from "./build_programs.ts";
import type { MeasurerKind } from "./cases.ts";
import { type CoreCount, onCores } from "./cores.ts";
import type { Subject } from "./measurement.ts";
import { Measurer } from "./measurer.ts";
import { type Pair, startOurs, startReference } from "./pair.ts";
import { clientBytes } from "./request.ts";
import { runtimeSubject } from "./runtime_version.ts";

/** Our pair in one runtime and the reference's, side by side on the same cores, with everything that measures them. */
export interface Lab extends AsyncDisposable {
  readonly runtime: RuntimeName;
  readonly cores: CoreCount;
  readonly dir: TempDir;
  readonly programs: BenchPrograms;
  readonly ours: Pair;
  readonly reference: Pair;
  readonly measurers: Readonly<Record<MeasurerKind, Measurer>>;
}

/** Starts it all; nobody works until a measurer is told to. */
export async function openLab(programs: BenchPrograms, runtime: RuntimeName, cores: CoreCount): Promise<Lab> {
  const stack = new AsyncDisposableStack();
  try {
    const dir = stack.use(await makeTempDir());
    const ours = stack.use(await startOurs(runtime, cores));
    const reference = stack.use(await startReference(programs.peer, cores));
    const start = async (command: ProcessCommand) => stack.use(await Measurer.start(onCores(cores, command)));
    const { plain, adopting, early, request } = clientBytes();
    const options = JSON.stringify({ service: SERVICE, version: VERSION, broker: ours.brokerEndpoint });
    const load = (pair: Pair) => ({
      command: programs.load,
      args: [pair.brokerEndpoint, plain, adopting, request],
    });
    const measurers = {
      floor: await start({ command: programs.floor, args: [dir.path] }),
      own: await start(runtimeCommand(runtime, "bench/programs/client.ts", [options])),
      c: await start({
        command: programs.client,
        args: [ours.brokerEndpoint, plain, adopting, early, request],
      }),
      load: await start(load(ours)),
      reference: await start(load(reference)),
    };
    const parts = stack.move();
    const close = () => parts.disposeAsync();
    return { runtime, cores, dir, programs, ours, reference, measurers, [Symbol.asyncDispose]: close };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Whom a measurer measures, and what measures. */
export function subjectOf({ runtime, programs }: Lab, kind: MeasurerKind): Subject {
  switch (kind) {
    case "floor":
      return { runtime: "c", version: "", peer: "ours", client: "c" };
    case "reference":
      return { runtime: "rust", version: programs.peer.version, peer: "rust", client: "rust" };
    case "own":
    case "c":
      return { ...runtimeSubject(runtime), peer: "ours", client: kind };
    case "load":
      return { ...runtimeSubject(runtime), peer: "ours", client: "rust" };
  }
}
