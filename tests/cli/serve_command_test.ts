import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import process from "node:process";
import { after, before, test } from "node:test";
import { type Backend, serveBackend } from "../../src/backend/serve_backend.ts";
import { sendAdminRequest } from "../../src/client/admin_request.ts";
import { connectToBackend } from "../../src/client/connect_to_backend.ts";
import { writeServiceDefinition } from "../../src/service/service_definition_file.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { ADMIN_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { ownDefinition } from "../broker/_probed_backend.ts";
import { currentRuntime, runtimeCommand } from "../support/runtimes.ts";
import { type StartedProcess, startProcess } from "../support/spawn.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { until } from "../support/waiting.ts";
import { pattern, readAll, readBytes, transport } from "../transport/_transport.ts";
import { runCli } from "./_run_cli.ts";

const EXIT = { deadlineMs: 30_000 };
let dir: TempDir;
let backend: Backend;

before(async () => {
  dir = await makeTempDir();
  const [endpoint, handoffEndpoint] = [dir.join("be.sock"), dir.join("ho.sock")];
  const identityFile = dir.join("identity.json");
  const place = { service: "svc", version: "1.2.3", namespace: "shared" };
  backend = await serveBackend({ ...place, endpoint, handoffEndpoint, identityFile });
  void (async () => {
    for await (const connection of backend) {
      void connection.readable.pipeTo(connection.writable).catch(() => {});
    }
  })();
  await writeServiceDefinition(dir.join("defs"), ownDefinition());
});

after(async () => {
  await backend.close();
  await dir[Symbol.asyncDispose]();
});

function serveArgs(name: string, ...more: string[]): string[] {
  return [
    ...["--serve", dir.join(name), "--service", "svc", "--version", "1.2.3"],
    ...["--backend-endpoint", dir.join("be.sock"), "--service-def-dir", dir.join("defs"), ...more],
  ];
}

function command(args: readonly string[]) {
  const found = runtimeCommand(currentRuntime === "node" ? "node24" : currentRuntime, "cli.ts", args);
  return {
    ...found,
    env: { ...found.env, RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1", XDG_STATE_HOME: dir.path },
  };
}

/** Starts the command line and waits until it says that it serves. */
async function serve(name: string, ...more: string[]): Promise<StartedProcess> {
  const child = startProcess(command(serveArgs(name, ...more)));
  const serving = `running-process-broker-v1: serving ${dir.join(name)}`;
  await until("serving", () => child.stderrTail.includes(serving));
  return child;
}

const healthz = (endpoint: string) => sendAdminRequest(endpoint, { verb: AdminVerb.HEALTHZ });

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`--serve hands connections over until ${signal}, then exits with 0 and takes its name along`, async () => {
    const handoff = ["--handoff-endpoint", dir.join("ho.sock"), "--identity-file", dir.join("identity.json")];
    await using child = await serve("br.sock", ...handoff);
    await using session = await connectToBackend({
      service: "svc",
      version: "1.2.3",
      broker: dir.join("br.sock"),
    });
    assert.equal(session.route, "handle-passed");
    await session.stream.write(pattern(100));
    assert.deepEqual(await readBytes(session.stream, 100), pattern(100));
    child.killGroup(signal);
    assert.deepEqual(await child.waitForExit(EXIT), { code: 0, signal: null, error: undefined });
    assert.ok(!existsSync(dir.join("br.sock")));
    assert.deepEqual(child.stdoutLines, []);
    await session.stream.write(pattern(50));
    assert.deepEqual(await readBytes(session.stream, 50), pattern(50), "it outlives the broker");
  });
}

test("--max-connections ends the broker by itself, with success", async () => {
  await using child = await serve("two.sock", "--max-connections", "2");
  await healthz(dir.join("two.sock"));
  await healthz(dir.join("two.sock"));
  assert.equal((await child.waitForExit(EXIT)).code, 0);
  assert.ok(!existsSync(dir.join("two.sock")));
});

test("--hello-rate limits the Hellos of a process", async () => {
  await using child = await serve("slow.sock", "--hello-rate", "1");
  const ask = { service: "svc", version: "1.2.3", broker: dir.join("slow.sock") };
  (await connectToBackend(ask)).close();
  await assert.rejects(connectToBackend(ask), /Hello rate limit exceeded/);
  child.killGroup("SIGTERM");
  await child.waitForExit(EXIT);
});

test("a broker that cannot serve says why and exits with 1, or with 75 when another one does", async () => {
  await using child = await serve("taken.sock");
  const failures: [string[], RegExp, number?][] = [
    [
      serveArgs("taken.sock"),
      new RegExp(
        `serve failed: .*taken\\.sock.*a process serves it \\(pid ${child.pid}\\); stop that process`,
      ),
      75,
    ],
    [
      serveArgs("a.sock", "--identity-file", dir.join("none.json")),
      /serve failed: .*none\.json.*does not exist/,
    ],
    [[...serveArgs("a.sock").slice(0, -1), dir.join("nowhere")], /serve failed: .*Cannot serve "svc"/],
  ];
  for (const [args, message, wanted = 1] of failures) {
    const { code, stdout, stderr } = await runCli(args);
    assert.equal(code, wanted, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^running-process-broker-v1: /);
    assert.match(stderr, message);
  }
  assert.equal((await healthz(dir.join("taken.sock"))).exitCode, 0, "the first one serves on");
  child.killGroup("SIGTERM");
  assert.equal((await child.waitForExit(EXIT)).code, 0);
});

/** Makes the broker log lines, and sees that it serves on. */
async function provokeLog(endpoint: string): Promise<void> {
  const payload = Uint8Array.of(0xff);
  const nonsense = encodeFramed({
    envelopeVersion: 1,
    kind: 1,
    payloadProtocol: ADMIN_PAYLOAD_PROTOCOL,
    payload,
  });
  for (let i = 0; i < 3; i++) {
    const client = await transport.connect(endpoint, { deadlineMs: 10_000 });
    await client.write(nonsense);
    assert.equal((await readAll(client)).length, 0, "nothing is written into a connection");
    client.close();
  }
  assert.equal((await healthz(endpoint)).body, "ok\n");
}

test("what an operator should know is on stderr, a line each", async () => {
  await using child = await serve("told.sock");
  await provokeLog(dir.join("told.sock"));
  const wanted = `connection on ${dir.join("told.sock")} from peer pid=${process.pid}`;
  await until("the lines", () => child.stderrTail.filter((line) => line.includes(wanted)).length === 3);
  child.killGroup("SIGTERM");
  assert.equal((await child.waitForExit(EXIT)).code, 0);
});

test("readers of stdout and stderr that go away do not end a broker", async () => {
  const { command: path, args, env } = command(serveArgs("deaf.sock"));
  const child = spawn(path, [...args], { env: { ...process.env, ...env }, stdio: "pipe" });
  const exit = once(child, "exit");
  try {
    child.stdout.destroy();
    child.stderr.destroy();
    await until("its socket", () => existsSync(dir.join("deaf.sock")));
    await provokeLog(dir.join("deaf.sock"));
    process.kill(child.pid!, "SIGTERM");
    assert.deepEqual(await exit, [0, null]);
    assert.ok(!existsSync(dir.join("deaf.sock")));
  } finally {
    child.kill("SIGKILL");
  }
});

test("a broker that is started without stdout and stderr serves, and writes into no connection", async () => {
  const { command: path, args, env } = command(serveArgs("mute.sock"));
  const script = 'exec "$0" "$@" >&- 2>&-';
  await using child = startProcess({ command: "/bin/sh", args: ["-c", script, path, ...args], env });
  await until("its socket", () => existsSync(dir.join("mute.sock")));
  await provokeLog(dir.join("mute.sock"));
  child.killGroup("SIGTERM");
  assert.equal((await child.waitForExit(EXIT)).code, 0);
});
