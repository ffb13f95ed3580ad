import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { after, before, test } from "node:test";
import { sendAdminRequest } from "../../src/client/admin_request.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { encodeHello } from "../../src/wire/hello.ts";
import { decodeHelloReply } from "../../src/wire/hello_reply.ts";
import { leaveStaleSocket } from "../faults/stale_socket.ts";
import { currentRuntime, runtimeCommand } from "../support/runtimes.ts";
import { type StartedProcess, startProcess } from "../support/spawn.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { until } from "../support/waiting.ts";
import { readAll, transport } from "../transport/_transport.ts";
import { startedMark, writeSleepingService } from "./_sleeping_service.ts";
import { runCli } from "./_run_cli.ts";

const EXIT = { deadlineMs: 30_000 };
const ASK = { deadlineMs: 30_000 };
let dir: TempDir;

before(async () => {
  dir = await makeTempDir();
  mkdirSync(dir.join("defs"), 0o700);
  await writeSleepingService(dir);
});

after(() => dir[Symbol.asyncDispose]());

/** Starts a broker that launches, in the runtime of this process. */
async function serve(name: string): Promise<StartedProcess> {
  const args = ["--serve-launch", dir.join(name), "--service-def-dir", dir.join("defs")];
  const command = runtimeCommand(currentRuntime === "node" ? "node24" : currentRuntime, "cli.ts", args);
  const child = startProcess({
    ...command,
    env: { ...command.env, RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1", XDG_RUNTIME_DIR: dir.path },
  });
  await until("serving", () => child.stderrTail.some((line) => line.includes(`serving ${dir.join(name)}`)));
  return child;
}

/** Asks for the backend that never serves: the broker waits for it, and the client with it. */
async function keepBusy(name: string): Promise<{ reply: Promise<string> }> {
  rmSync(startedMark(dir), { force: true });
  const stream = await transport.connect(dir.join(name), ASK);
  const wanted = { serviceName: "sleeper", wantedVersion: "1.0.0", peerPid: 0, clientCapabilities: 0n };
  await stream.write(encodeHello(wanted));
  await until("the launch", () => existsSync(startedMark(dir)));
  return { reply: readAll(stream).then(wordsOf, () => "").finally(() => stream.close()) };
}

/** Ends the backend, and the ones that the broker tries after it. */
async function endLaunches(broker: StartedProcess): Promise<void> {
  let hasEnded = false;
  const ended = new Set<number>();
  void broker.exit.then(() => hasEnded = true);
  await until("the end of all launches", () => {
    const pid = Number(existsSync(startedMark(dir)) ? readFileSync(startedMark(dir), "utf8") : "");
    // Each once: a number may be another process's by the next time.
    if (pid > 0 && !ended.has(pid)) process.kill(pid, "SIGKILL");
    ended.add(pid);
    return hasEnded;
  });
}

function wordsOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  const reply = decodeHelloReply(bytes.subarray(FRAME_HEADER_BYTES));
  return reply.kind === "refused" ? `${reply.code} ${reply.reason}` : reply.kind;
}

async function askHello(name: string): Promise<string> {
  const stream = await transport.connect(dir.join(name), ASK);
  await stream.write(encodeHello({
    serviceName: "nothing",
    wantedVersion: "1.0.0",
    peerPid: 0,
    clientCapabilities: 0n,
  }));
  const words = wordsOf(await readAll(stream));
  stream.close();
  return words;
}

test("a stopping broker refuses new Hellos with code 5, answers operators, and ends with what was under way", async () => {
  await using child = await serve("busy.sock");
  const { reply } = await keepBusy("busy.sock");
  const stopping = runCli(["--socket", dir.join("busy.sock"), "shutdown", "--drain-ms", "40000"]);
  await until("the stop", () => child.stderrTail.some((line) => line.includes("stopping: ")));
  assert.equal(await askHello("busy.sock"), "5 broker is shutting down");
  const ready = await sendAdminRequest(dir.join("busy.sock"), { verb: AdminVerb.READYZ }, ASK);
  assert.deepEqual([ready.exitCode, ready.body], [1, "not ready\n"]);
  await endLaunches(child);
  const { code, stdout, stderr } = await stopping;
  assert.deepEqual([code, stdout], [0, "broker shutting down\n"], stderr);
  assert.match(stderr, /waiting up to 45000 ms for what is under way behind ".*busy\.sock" to end/);
  assert.deepEqual(await child.waitForExit(EXIT), { code: 0, signal: null, error: undefined });
  assert.ok(!existsSync(dir.join("busy.sock")));
  await reply;
});

test("a second signal ends a stopping broker at once, and its name with it", async () => {
  for (const [signal, wanted] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    const name = `${signal}.sock`;
    await using child = await serve(name);
    await keepBusy(name);
    child.killGroup("SIGTERM");
    await until("the stop", () => child.stderrTail.some((line) => line.includes("stopping: ")));
    assert.ok(existsSync(dir.join(name)), "it waits for what is under way");
    child.killGroup(signal);
    assert.equal((await child.waitForExit(EXIT)).code, wanted);
    assert.ok(!existsSync(dir.join(name)));
  }
});

test("shutdown stops an idle broker and is told that it is gone", async () => {
  await using child = await serve("idle.sock");
  const { code, stdout } = await runCli(["shutdown", "--socket", dir.join("idle.sock")]);
  assert.deepEqual([code, stdout], [0, "broker shutting down\n"]);
  assert.equal((await child.waitForExit(EXIT)).code, 0);
  assert.ok(!existsSync(dir.join("idle.sock")));
});

test("a broker that stops removes no name but its own", async () => {
  await using child = await serve("moved.sock");
  renameSync(dir.join("moved.sock"), dir.join("elsewhere.sock"));
  writeFileSync(dir.join("moved.sock"), "another's");
  child.killGroup("SIGTERM");
  assert.equal((await child.waitForExit(EXIT)).code, 0);
  assert.ok(existsSync(dir.join("moved.sock")));
});

test("shutdown says what is wrong: no endpoint, nobody there, a time that is none", async () => {
  const nobody = dir.join("nobody.sock");
  await leaveStaleSocket(nobody);
  const failures: [string[], number, RegExp][] = [
    [["shutdown"], 2, /shutdown needs --socket ENDPOINT/],
    [["shutdown", "--socket", nobody], 1, /admin request to ".*nobody\.sock" failed: .*ECONNREFUSED/],
    [
      ["shutdown", "--socket", nobody, "--drain-ms", "0"],
      2,
      /--drain-ms must be a whole number of at least 1/,
    ],
    [["shutdown", "--socket", nobody, "--drain-ms", "3600001"], 2, /--drain-ms must be at most 3600000/],
  ];
  for (const [args, wanted, message] of failures) {
    const { code, stderr } = await runCli(args);
    assert.equal(code, wanted, stderr);
    assert.match(stderr, message);
  }
});
