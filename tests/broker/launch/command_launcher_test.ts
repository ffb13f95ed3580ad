import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { serveBackend } from "../../../mod.ts";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { CommandLauncher } from "../../../src/broker/launch/command_launcher.ts";
import { EndpointAllocator } from "../../../src/broker/launch/endpoint_allocator.ts";
import { LaunchError } from "../../../src/broker/launch/launch_error.ts";
import { ExecutableHasher } from "../../../src/host/executable.ts";
import { hostValues } from "../../../src/host/host_values.ts";
import { processIdentity } from "../../../src/host/process_identity.ts";
import { loadTransport } from "../../../src/transport/load_transport.ts";
import { ServiceDefinitionSchema } from "../../../src/wire/gen/broker_v1_service_def_pb.ts";
import { makeTempDir, type TempDir } from "../../support/temp_dir.ts";
import { until } from "../../support/waiting.ts";

const USER = "0123456789abcdef";

/** A launcher in a folder of its own, whose names are known before they are made. */
async function makeLauncher(dir: TempDir, ceilingMs: number) {
  const abort = new CancelSource();
  let drawn = 0;
  const allocator = new EndpointAllocator(USER, (length) => new Uint8Array(length).fill(drawn++));
  const environment = { PATH: process.env["PATH"], XDG_RUNTIME_DIR: dir.path };
  const launcher = new CommandLauncher({
    transport: await loadTransport(),
    hasher: new ExecutableHasher(),
    allocator,
    broker: { endpoint: dir.join("br.sock"), process: { pid: process.pid, startMark: "1" } },
    records: { keep: () => Promise.resolve(), forget: () => {} },
    host: { ...hostValues(), platform: "linux", environment, uid: 0, home: undefined },
    clock: () => performance.now(),
    signal: abort,
    ceilingMs,
  });
  return { launcher, abort, allocator };
}

/** A script that notes its number before it goes on. */
async function request(dir: TempDir, interpreter: string, args: string[], script: string) {
  await writeFile(dir.join("script"), `echo $$ > ${dir.join("pid")}\n${script}\n`);
  return {
    key: { instanceId: "shared", service: "my-daemon", version: "1.0.0" },
    definition: create(ServiceDefinitionSchema, {
      serviceName: "my-daemon",
      binaryPath: dir.join("script"),
      perVersionBinaryDir: dir.path,
      labels: { interpreter, args: JSON.stringify(args) },
    }),
    frame: { deadlineUnixMs: 0n, traceparent: "", tracestate: "" },
  };
}

async function assertEnded(dir: TempDir): Promise<void> {
  assert.equal(await processIdentity(Number(readFileSync(dir.join("pid"), "utf8"))), undefined);
}

function isLaunchError(kind: string, detail: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof LaunchError, String(error));
    assert.equal(error.kind, kind);
    assert.match(error.detail, detail);
    return true;
  };
}

test("CommandLauncher ends a child that does not serve in time", async () => {
  await using dir = await makeTempDir();
  const { launcher, allocator } = await makeLauncher(dir, 400);
  const launch = launcher.launch(await request(dir, "sh", [], "sleep 1000"));
  await assert.rejects(launch, isLaunchError("Timeout", /within 400 ms: .*ENOENT/));
  await assertEnded(dir);
  assert.deepEqual(readdirSync(dir.join("running-process", "broker")), []);
  assert.equal(allocator.reservedCount, 0);
});

test("CommandLauncher reports a child that ends, at once and with the end of its stderr", async () => {
  await using dir = await makeTempDir();
  const { launcher } = await makeLauncher(dir, 60_000);
  const noise = "i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done";
  const startMs = performance.now();
  const launch = launcher.launch(await request(dir, "sh", [], `${noise}; echo last >&2; exit 3`));
  await assert.rejects(launch, (error) => {
    const { detail } = error as LaunchError;
    assert.match(detail, /^backend process exited with status 3 before .*; stderr: [^]*line 1999\nlast$/);
    assert.ok(detail.length < 4_300 && detail.length > 4_000, String(detail.length));
    return true;
  });
  assert.ok(performance.now() - startMs < 30_000);
  const killed = launcher.launch(await request(dir, "sh", [], "kill -9 $$"));
  await assert.rejects(killed, isLaunchError("Exited", /was ended by SIGKILL before/));
});

test("CommandLauncher says why a program cannot be started", async () => {
  await using dir = await makeTempDir();
  const { launcher } = await makeLauncher(dir, 60_000);
  const launch = launcher.launch(await request(dir, dir.join("script"), [], ""));
  await assert.rejects(launch, isLaunchError("Spawn", /Permission denied/));
});

test("CommandLauncher ends a child when the broker stops", async () => {
  await using dir = await makeTempDir();
  const { launcher, abort } = await makeLauncher(dir, 60_000);
  const launch = launcher.launch(await request(dir, "sh", [], "sleep 1000"));
  const outcome = assert.rejects(launch, /stops now/);
  await until(
    "the child runs",
    () => existsSync(dir.join("pid")) && readFileSync(dir.join("pid")).length > 0,
  );
  abort.abort(new Error("stops now"));
  await outcome;
  await assertEnded(dir);
});

test("CommandLauncher takes no other process for its child, not even one of the same program", async () => {
  await using dir = await makeTempDir();
  const { launcher } = await makeLauncher(dir, 60_000);
  const endpoint = dir.join("running-process", "broker", `rpb-v1-${USER}-be-${"00".repeat(16)}.sock`);
  await using _squatter = await serveBackend({
    service: "my-daemon",
    version: "1.0.0",
    endpoint,
    namespace: "shared",
  });
  const wait = "setTimeout(() => {}, 1e6)";
  const args = process.versions["deno"] === undefined ? ["-e", wait] : ["eval", wait];
  const launch = launcher.launch(await request(dir, process.execPath, args, ""));
  await assert.rejects(launch, isLaunchError("NotTheChild", new RegExp(`process ${process.pid} serves`)));
});
