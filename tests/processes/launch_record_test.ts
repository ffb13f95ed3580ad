// run-in: deno
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { CancelSource } from "../../src/cancel_signal.ts";
import type { RegisteredBackend } from "../../src/broker/backend_registry.ts";
import { CommandLauncher, type CommandLauncherParts } from "../../src/broker/launch/command_launcher.ts";
import { EndpointAllocator } from "../../src/broker/launch/endpoint_allocator.ts";
import { LaunchError } from "../../src/broker/launch/launch_error.ts";
import { ExecutableHasher } from "../../src/host/executable.ts";
import { hostValues } from "../../src/host/host_values.ts";
import { processIdentity } from "../../src/host/process_identity.ts";
import { ServiceDefinitionSchema } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { killIfRunning, scriptDefinition } from "../interop/_launch_lab.ts";
import { untilEnded } from "../support/process_end.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { SERVICE, VERSION } from "../support/topology.ts";
import { until } from "../support/waiting.ts";
import { transport } from "../transport/_transport.ts";

const ENDED_MS = 60_000;

/** Launches a backend whose record is kept by the test. */
async function launch(
  dir: TempDir,
  records: CommandLauncherParts["records"],
  moreLabels: Record<string, string> = {},
): Promise<RegisteredBackend> {
  const { labels, ...script } = scriptDefinition("bun");
  const host = hostValues();
  const launcher = new CommandLauncher({
    transport,
    hasher: new ExecutableHasher(),
    allocator: new EndpointAllocator("0123456789abcdef", (length) => randomBytes(length)),
    broker: { endpoint: dir.join("br.sock"), process: (await processIdentity(process.pid))! },
    records,
    host: { ...host, environment: { ...host.environment, XDG_RUNTIME_DIR: dir.path } },
    clock: () => performance.now(),
    signal: new CancelSource(),
    ceilingMs: ENDED_MS,
  });
  return await launcher.launch({
    key: { instanceId: "shared", service: SERVICE, version: VERSION },
    definition: create(ServiceDefinitionSchema, {
      serviceName: SERVICE,
      ...script,
      labels: { ...labels, ...moreLabels },
    }),
    frame: { deadlineUnixMs: 0n, traceparent: "", tracestate: "" },
  });
}

async function kill({ identity: { pid } }: RegisteredBackend): Promise<void> {
  killIfRunning(pid);
  await untilEnded(pid);
}

test("CommandLauncher puts a backend on record as soon as it has proved itself, until it ends", async () => {
  await using dir = await makeTempDir();
  const told: string[] = [];
  const backend = await launch(dir, {
    keep: ({ key }, { executable, args }) => {
      told.push(`keep ${key.version} ${executable.endsWith("bun")} ${args.length > 0}`);
      return Promise.resolve();
    },
    forget: ({ key }) => void told.push(`forget ${key.version}`),
  });
  assert.deepEqual(told, [`keep ${VERSION} true true`]);
  await kill(backend);
  await until("the record is forgotten", () => told.length === 2);
  assert.equal(told[1], `forget ${VERSION}`);
  await until("its sockets are gone", () => !existsSync(backend.backendPipe));
});

test("CommandLauncher launches no backend that ends while it is put on record", async () => {
  await using dir = await makeTempDir();
  let forgotten = 0;
  const launching = launch(dir, { keep: kill, forget: () => void forgotten++ });
  await assert.rejects(launching, (error) => error instanceof LaunchError && error.kind === "Exited");
  assert.equal(forgotten, 1);
});

test("CommandLauncher tells a backend which broker launched it, and how long it may be without work", async () => {
  await using dir = await makeTempDir();
  const labels = { idle_timeout_secs: "77" };
  const backend = await launch(dir, { keep: () => Promise.resolve(), forget: () => {} }, labels);
  const environment = readFileSync(`/proc/${backend.identity.pid}/environ`, "utf8").split("\0");
  const told = (name: string) =>
    environment.filter((entry) => entry.startsWith(`RUNNING_PROCESS_BROKER_V1_${name}=`));
  const own = (await processIdentity(process.pid))!;
  assert.deepEqual(
    ["BROKER_PID", "BROKER_START_MARK", "BROKER_ENDPOINT", "IDLE_TIMEOUT_SECS"].flatMap(told),
    [
      `RUNNING_PROCESS_BROKER_V1_BROKER_PID=${own.pid}`,
      `RUNNING_PROCESS_BROKER_V1_BROKER_START_MARK=${own.startMark}`,
      `RUNNING_PROCESS_BROKER_V1_BROKER_ENDPOINT=${dir.join("br.sock")}`,
      "RUNNING_PROCESS_BROKER_V1_IDLE_TIMEOUT_SECS=77",
    ],
  );
  await kill(backend);
});
