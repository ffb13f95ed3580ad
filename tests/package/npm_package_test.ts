// run-in: deno
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import process from "node:process";
import test, { before } from "node:test";
import { promisify } from "node:util";
import { ensureRuntime } from "../../scripts/toolchain.ts";
import { projectFile, projectRoot } from "../support/project.ts";
import { type Runtime, runtimeCommand } from "../support/runtimes.ts";
import { startProcess } from "../support/spawn.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { until } from "../support/waiting.ts";
import { defineService, isEvent, SERVICE, VERSION } from "../support/topology.ts";

const run = promisify(execFile);
/** Packing, judging and installing from the registry on a loaded machine. */
const DEADLINE_MS = 180_000;

let archive: string;

before(async () => {
  const script = ["run", "-A", "--quiet", "scripts/build_npm.ts"];
  const { stdout } = await run(ensureRuntime("deno"), script, { cwd: projectRoot, timeout: DEADLINE_MS });
  archive = stdout.trim().split("\n").at(-1)!;
});

for (const runtime of ["node20", "node26", "bun"] as const satisfies readonly Runtime[]) {
  test(`the packed package, installed in an empty folder, hands a connection over in ${runtime}`, async () => {
    await using dir = await makeTempDir();
    await install(dir, runtime, []);
    const told = await consume(dir, runtime);
    assert.deepEqual(
      { route: told.route, echo: told.echo },
      { route: "handle-passed", echo: "ping" },
      JSON.stringify(told),
    );
  });
}

test("without koffi the package in node20 has no broker of its own and reconnects behind another one", async () => {
  await using dir = await makeTempDir();
  await install(dir, "node20", ["--omit=optional"]);
  const executable = ensureRuntime("node20");
  const serviceDefinitionDir = await defineService(dir, executable);
  const args = [dir.join("consumer.mjs"), dir.path, serviceDefinitionDir];
  await using consumer = startProcess({ command: executable, args });
  const first = JSON.parse(
    await consumer.waitForLine((line) => line.startsWith("{"), { deadlineMs: DEADLINE_MS }),
  ) as Told;
  assert.match(first.brokerError ?? "", /npm install koffi/);
  assert.ok(first.events.includes("no-handoffs"), first.events.join(", "));
  const backend = {
    service: SERVICE,
    version: VERSION,
    endpoint: dir.join("be.sock"),
    handoffEndpoint: dir.join("ho.sock"),
  };
  const options = JSON.stringify({ endpoint: dir.join("br.sock"), serviceDefinitionDir, backend });
  await using broker = startProcess(runtimeCommand("deno", "tests/processes/broker.ts", [options]));
  await broker.waitForLine(isEvent("ready"), { deadlineMs: DEADLINE_MS });
  consumer.writeLine("go");
  const last = JSON.parse(
    await consumer.waitForLine((line) => line.includes("echo"), { deadlineMs: DEADLINE_MS }),
  ) as Told;
  assert.deepEqual({ route: last.route, echo: last.echo }, { route: "broker-negotiated", echo: "ping" });
});

test("the packed command runs in node20 and says its name and version", async () => {
  await using dir = await makeTempDir();
  await install(dir, "node20", []);
  const bin = dir.join("node_modules", ".bin", "running-process-broker-v1");
  const env = { ...process.env, RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1" };
  const { stdout } = await run(ensureRuntime("node20"), [bin, "--version"], { env, timeout: DEADLINE_MS });
  assert.match(stdout, /^running-process-broker-v1 \d+\.\d+\.\d+\n$/);
});

test("the packed command serves a broker in node20, answers about it and is stopped", async () => {
  await using dir = await makeTempDir();
  await install(dir, "node20", []);
  const node = ensureRuntime("node20");
  const bin = dir.join("node_modules", ".bin", "running-process-broker-v1");
  const endpoint = dir.join("br.sock");
  await mkdir(dir.join("services"), { mode: 0o700 });
  const env = { RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1", XDG_STATE_HOME: dir.path };
  const args = [bin, "--serve-launch", endpoint, "--service-def-dir", dir.join("services")];
  await using broker = startProcess({ command: node, args, env });
  await until("the broker", () => broker.stderrTail.some((line) => line.endsWith(`serving ${endpoint}`)));
  const asked = { env: { ...process.env, ...env }, timeout: DEADLINE_MS };
  const { stdout } = await run(node, [bin, "healthz", "--socket", endpoint], asked);
  assert.equal(stdout, "ok\n");
  broker.killGroup("SIGTERM");
  assert.equal((await broker.waitForExit({ deadlineMs: DEADLINE_MS })).code, 0);
});

interface Told {
  events: string[];
  route: string;
  echo: string;
  brokerError?: string;
}

async function install(dir: TempDir, runtime: Runtime, flags: readonly string[]): Promise<void> {
  await writeFile(
    dir.join("package.json"),
    JSON.stringify({ name: "consumer", private: true, type: "module" }),
  );
  const options = { cwd: dir.path, timeout: DEADLINE_MS };
  if (runtime === "bun") await run(ensureRuntime("bun"), ["add", "--ignore-scripts", archive], options);
  else {await run(
      "npm",
      ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...flags, archive],
      options,
    );}
  await copyFile(projectFile("tests/package/consumer.mjs"), dir.join("consumer.mjs"));
}

async function consume(dir: TempDir, runtime: Runtime): Promise<Told> {
  const executable = ensureRuntime(runtime);
  const definitions = await defineService(dir, executable);
  const options = { cwd: dir.path, timeout: DEADLINE_MS };
  const { stdout } = await run(executable, ["consumer.mjs", dir.path, definitions], options);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Told;
}
