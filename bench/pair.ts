import { runtimeCommand } from "../tests/support/runtimes.ts";
import type { RuntimeName } from "../scripts/runtime_name.ts";
import { untilListening } from "../tests/support/listening.ts";
import { type ProcessCommand, type StartedProcess, startProcess } from "../tests/support/spawn.ts";
import { makeTempDir, type TempDir } from "../tests/support/temp_dir.ts";
import { defineService, isEvent, SERVICE, START_DEADLINE_MS, VERSION } from "../tests/support/topology.ts";
import type { PeerCrate } from "../tests/interop/_peer_crate.ts";
import { type CoreCount, onCores } from "./cores.ts";

/** A broker in front of a backend that echoes, each a process of its own. */
export interface Pair extends AsyncDisposable {
  readonly brokerEndpoint: string;
  readonly brokerPid: number;
}

/** The two commands of a pair, made for a folder; the backend comes first. */
interface Recipe {
  readonly backend: ProcessCommand;
  readonly backendReady: string;
  broker(): Promise<ProcessCommand>;
  readonly brokerReady: string;
}

/** Ours in a runtime: without a limit of Hellos, which the reference's serve loop does not have either. */
export function startOurs(runtime: RuntimeName, cores: CoreCount): Promise<Pair> {
  return startPair(cores, (dir) => {
    const [endpoint, handoffEndpoint] = [dir.join("be.sock"), dir.join("ho.sock")];
    const place = { service: SERVICE, version: VERSION, endpoint, handoffEndpoint };
    const part = (module: string, options: object) =>
      runtimeCommand(runtime, module, [JSON.stringify(options)]);
    return {
      backend: part("bench/programs/backend.ts", { ...place, namespace: "shared" }),
      backendReady: "ready",
      broker: async () =>
        part("tests/processes/broker.ts", {
          endpoint: dir.join("br.sock"),
          serviceDefinitionDir: await defineService(dir, runtimeCommand(runtime, "mod.ts").command),
          backend: place,
          helloRate: 0,
          quiet: true,
        }),
      brokerReady: "ready",
    };
  });
}

/** The reference's; its backend serves where it accepts, which is faster than a thread for each connection. */
export function startReference(crate: PeerCrate, cores: CoreCount): Promise<Pair> {
  return startPair(cores, (dir) => {
    const [endpoint, handoff, identity] = [
      dir.join("be.sock"),
      dir.join("ho.sock"),
      dir.join("identity.json"),
    ];
    const place = ["--endpoint", endpoint, "--handoff", handoff, "--identity-file", identity];
    return {
      backend: { command: crate.backend, args: [...place, "--namespace", "shared", "--inline", "--quiet"] },
      backendReady: "ready",
      broker: async () => {
        const defs = await defineService(dir, crate.backend);
        const served = [`${SERVICE},${VERSION},${identity}`, "--handoff", `${SERVICE},${VERSION},${handoff}`];
        const args = ["serve", "--socket", dir.join("br.sock"), "--dir", defs, "--backend", ...served];
        return { command: crate.broker, args };
      },
      brokerReady: "listening",
    };
  });
}

async function startPair(cores: CoreCount, recipeFor: (dir: TempDir) => Recipe): Promise<Pair> {
  const dir = await makeTempDir();
  const started: StartedProcess[] = [];
  const start = async (command: ProcessCommand, readyEvent: string) => {
    const process = startProcess(onCores(cores, command));
    started.push(process);
    const line = await process.waitForLine(isEvent(readyEvent), { deadlineMs: START_DEADLINE_MS });
    // The Rust broker says so as soon as its socket's name is there.
    const { socket } = JSON.parse(line) as { socket?: string };
    if (socket !== undefined) await untilListening(socket, START_DEADLINE_MS);
    return process;
  };
  const stop = async () => {
    for (const process of started.reverse()) await process[Symbol.asyncDispose]();
    await dir[Symbol.asyncDispose]();
  };
  try {
    const recipe = recipeFor(dir);
    await start(recipe.backend, recipe.backendReady);
    const broker = await start(await recipe.broker(), recipe.brokerReady);
    return { brokerEndpoint: dir.join("br.sock"), brokerPid: broker.pid, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
