import { create } from "@bufbuild/protobuf";
import { realpathSync } from "node:fs";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { BrokerIsolation, ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { type Runtime, runtimeCommand } from "./runtimes.ts";
import { type StartedProcess, startProcess } from "./spawn.ts";
import { makeTempDir, type TempDir } from "./temp_dir.ts";

/** Starting a runtime on a loaded machine, its executable hashed twice. */
export const START_DEADLINE_MS = 60_000;
/** A client's run of a few connections. */
export const CLIENT_DEADLINE_MS = 60_000;

export const SERVICE = "my-daemon";
export const VERSION = "1.2.3";

/** What a client process says at its end. */
export interface ClientSummary {
  event: "done" | "error";
  kind?: string;
  message?: string;
  refusal?: { code: number; reason: string; retryAfterMs: string };
  routes: Record<string, number>;
  fallbacks: Record<string, number>;
  corrupt: number;
}

/** Which runtime each part runs in, and what differs from the ordinary. */
export interface TopologyOptions {
  backend: Runtime;
  broker: Runtime;
  takesHandoffs?: boolean;
  brokerOptions?: Record<string, unknown>;
  quiet?: boolean;
  /** Starts broker and backend so that they can be asked to collect garbage. */
  canCollect?: boolean;
}

/** A broker process in front of a backend process, each in a runtime of its own. */
export interface Topology extends AsyncDisposable {
  readonly dir: TempDir;
  readonly broker: StartedProcess;
  readonly backend: StartedProcess;
  readonly brokerEndpoint: string;
  readonly backendEndpoint: string;
  /** Runs a client process to its end. */
  client(runtime: Runtime, options?: Record<string, unknown>, deadlineMs?: number): Promise<ClientSummary>;
}

/** The line of an event that a process of `tests/processes` prints. */
export function isEvent(name: string): (line: string) => boolean {
  return (line) => line.startsWith("{") && (JSON.parse(line) as { event?: string }).event === name;
}

/** Writes the definition of the test service for a backend that runs in an executable. */
export async function defineService(dir: TempDir, executable: string): Promise<string> {
  const folder = dir.join("defs");
  await writeServiceDefinition(
    folder,
    create(ServiceDefinitionSchema, {
      serviceName: SERVICE,
      binaryPath: realpathSync(executable),
      isolation: BrokerIsolation.SHARED_BROKER,
      minVersion: "1.0.0",
    }),
  );
  return folder;
}

/** Starts backend and broker, and waits until both serve. */
export async function startTopology(options: TopologyOptions): Promise<Topology> {
  const dir = await makeTempDir();
  const started: StartedProcess[] = [];
  const stop = async () => {
    for (const process of started.reverse()) await process[Symbol.asyncDispose]();
    await dir[Symbol.asyncDispose]();
  };
  try {
    const endpoint = dir.join("be.sock");
    const handoffEndpoint = options.takesHandoffs === false ? undefined : dir.join("ho.sock");
    const backend = start(started, options, "backend", "tests/processes/echo_backend.ts", {
      service: SERVICE,
      version: VERSION,
      endpoint,
      handoffEndpoint,
      namespace: "shared",
      quiet: options.quiet,
    });
    await backend.waitForLine(isEvent("ready"), { deadlineMs: START_DEADLINE_MS });
    const broker = start(started, options, "broker", "tests/processes/broker.ts", {
      endpoint: dir.join("br.sock"),
      serviceDefinitionDir: await defineService(dir, runtimeCommand(options.backend, "mod.ts").command),
      backend: { service: SERVICE, version: VERSION, endpoint, handoffEndpoint },
      quiet: options.quiet,
      ...options.brokerOptions,
    });
    await broker.waitForLine(isEvent("ready"), { deadlineMs: START_DEADLINE_MS });
    return topology(dir, backend, broker, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function start(
  started: StartedProcess[],
  topologyOptions: TopologyOptions,
  part: "broker" | "backend",
  module: string,
  options: unknown,
): StartedProcess {
  const runtime = topologyOptions[part];
  const command = runtimeCommand(runtime, module, [JSON.stringify(options)]);
  const flags = topologyOptions.canCollect === true ? COLLECTION_FLAGS[runtime] : [];
  // Deno's flags stand behind its subcommand.
  const args = command.args.toSpliced(runtime === "deno" ? 1 : 0, 0, ...flags);
  const process = startProcess({ ...command, args });
  started.push(process);
  return process;
}

/** The young generation gets a fixed size, so that its growing is not taken for a leak. */
const COLLECTION_FLAGS: Readonly<Record<Runtime, readonly string[]>> = {
  deno: ["--v8-flags=--expose-gc,--max-semi-space-size=2"],
  bun: [],
  node20: ["--expose-gc", "--max-semi-space-size=2"],
  node24: ["--expose-gc", "--max-semi-space-size=2"],
  node26: ["--expose-gc", "--max-semi-space-size=2"],
};

/** Asks a broker or backend process to collect its garbage. @returns Its resident memory after that, in KiB. */
export async function collectedKib(part: StartedProcess): Promise<number> {
  const fromLine = part.stdoutLines.length;
  part.killGroup("SIGUSR2");
  const line = await part.waitForLine(isEvent("collected"), { deadlineMs: START_DEADLINE_MS, fromLine });
  return (JSON.parse(line) as { residentKib: number }).residentKib;
}

function topology(
  dir: TempDir,
  backend: StartedProcess,
  broker: StartedProcess,
  stop: () => Promise<void>,
): Topology {
  const brokerEndpoint = dir.join("br.sock");
  return {
    dir,
    broker,
    backend,
    brokerEndpoint,
    backendEndpoint: dir.join("be.sock"),
    async client(runtime, options = {}, deadlineMs = CLIENT_DEADLINE_MS) {
      return await runClient(runtime, { broker: brokerEndpoint, ...options }, deadlineMs);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Runs a client process to its end. */
export async function runClient(
  runtime: Runtime,
  options: Record<string, unknown>,
  deadlineMs: number = CLIENT_DEADLINE_MS,
): Promise<ClientSummary> {
  const argument = JSON.stringify({ service: SERVICE, version: VERSION, ...options });
  await using process = startProcess(runtimeCommand(runtime, "tests/processes/client.ts", [argument]));
  const line = await process.waitForLine((text) => text.startsWith("{"), { deadlineMs });
  return JSON.parse(line) as ClientSummary;
}
