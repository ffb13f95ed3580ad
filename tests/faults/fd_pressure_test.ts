// run-in: deno
// deadline-s: 300
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import process from "node:process";
import { describe, test } from "node:test";
import type { LocalStream } from "../../mod.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import type { Runtime } from "../support/runtimes.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { WAIT } from "../support/waiting.ts";
import { askAdmin, askHello, askStatus, askUntil, connectSilent, cpuMsIn, startLimited } from "./crowd.ts";

/** A runtime needs some 25 of them for itself, and Node a hundred for a moment while it loads modules. */
const DESCRIPTORS = 160;
/** Silent clients that come at a time: of a larger crowd Deno accepts more at once than there is room for. */
const CROWD = 5;
/** A runtime that tries to accept without end uses all it gets: 1000 ms of a second, less on a busy machine. */
const CPU_MS_MAX = 250;

const SERVED = { code: 2, reason: "service definition was not found", retryAfterMs: 0n };
const PRESSED = { code: 9, reason: "broker is low on file descriptors; retry shortly", retryAfterMs: 1_000n };

const runtimes: readonly Runtime[] = ["deno", "bun", "node20", "node24", "node26"];
const isLinux = process.platform === "linux";
const skip = !isLinux && "counts descriptors in /proc";

function options(dir: TempDir) {
  const definitions = dir.join("defs");
  mkdirSync(definitions, 0o700);
  return {
    endpoint: dir.join("br.sock"),
    launch: true,
    serviceDefinitionDir: definitions,
    // So that nothing but descriptors runs out.
    connectionsOpenMax: 1_000,
    connectionsPerProcessMax: 1_000,
    firstFrameDeadlineMs: 600_000,
    quiet: true,
  };
}

const hello = (endpoint: string) => () => askHello(endpoint);
const status = (endpoint: string) => () => askStatus(endpoint);

describe(`a broker whose ${DESCRIPTORS} descriptors silent clients use up refuses Hellos, answers operators, and recovers`, () => {
  for (const runtime of runtimes) test(runtime, { skip }, () => crowd(runtime));
});

async function crowd(runtime: Runtime): Promise<void> {
  await using dir = await makeTempDir();
  const settings = options(dir);
  const { endpoint } = settings;
  await using broker = await startLimited(runtime, "tests/processes/broker.ts", settings, DESCRIPTORS);
  assert.deepEqual(await askHello(endpoint), SERVED);
  const fdsBefore = await settledFdCount(broker.pid);
  for (let round = 0; round < 2; round++) {
    const silent: LocalStream[] = [];
    const fillOn = async () => {
      const seen = await askStatus(endpoint);
      if (seen?.fd_pressure.demoted === false) silent.push(...await connectSilent(endpoint, CROWD));
      return seen;
    };
    const demoted = await askUntil("demotion", fillOn, (seen) => seen.fd_pressure.demoted);
    assert.equal(demoted.accepting_hello, false);
    assert.deepEqual(await askUntil("a refusal", hello(endpoint), () => true), PRESSED);
    const ready = await askUntil("readiness", () => askAdmin(endpoint, AdminVerb.READYZ), () => true);
    assert.equal(ready, "not ready\n");
    const metrics = await askUntil("metrics", () => askAdmin(endpoint, AdminVerb.METRICS), () => true);
    assert.ok(Number(/^\w+fd_usage_ratio (\S+)$/m.exec(metrics)?.[1]) > 0.7, metrics);
    assert.match(metrics, /refusals_total\{code="fd_pressure"\} [1-9]/);
    assert.match(metrics, /limit_hits_total\{limit="descriptors"\} [1-9]/);
    assert.match(metrics, /limit_hits_total\{limit="fd-pressure"\} [1-9]/);
    const cpuMs = await cpuMsIn(broker.pid, 1_000);
    assert.ok(cpuMs <= CPU_MS_MAX, `${cpuMs} ms of processor time in a second`);

    for (const stream of silent) stream.close();
    assert.deepEqual(await askUntil("serving again", hello(endpoint), (seen) => seen.code !== 9), SERVED);
    assert.equal(
      (await askUntil("its status", status(endpoint), () => true)).fd_pressure.demoted,
      false,
    );
    assert.equal(await fdCountAtMost(broker.pid, fdsBefore, WAIT.deadlineMs), fdsBefore);
  }
  broker.killGroup("SIGTERM");
  assert.equal((await broker.waitForExit(WAIT)).code, 0);
}

describe("a broker serves on after accepting really failed, because its process had used up even the reserve", () => {
  for (const runtime of runtimes) test(runtime, { skip }, () => fillUp(runtime));
});

async function fillUp(runtime: Runtime): Promise<void> {
  await using dir = await makeTempDir();
  const settings = options(dir);
  const { endpoint } = settings;
  await using broker = await startLimited(
    runtime,
    "tests/processes/crowded_broker.ts",
    settings,
    DESCRIPTORS,
  );
  assert.deepEqual(await askHello(endpoint), SERVED);
  const order = async (line: string) => {
    const fromLine = broker.stdoutLines.length;
    broker.writeLine(line);
    const answer = await broker.waitForLine(() => true, { ...WAIT, fromLine });
    return (JSON.parse(answer) as { files: number }).files;
  };
  // At the second time the broker has given its reserve up, and that is taken as well.
  const first = await order("fill");
  await askUntil("the reserve", () => order("fill"), (files) => files >= first + 8);
  const waiting = await connectSilent(endpoint, 5);
  await cpuMsIn(broker.pid, 300);
  assert.equal(await order("free"), 0);
  const answer = await askUntil("serving again", hello(endpoint), (seen) => seen.code !== 9);
  assert.deepEqual(answer, SERVED);
  for (const stream of waiting) stream.close();
  const cpuMs = await cpuMsIn(broker.pid, 1_000);
  assert.ok(cpuMs <= CPU_MS_MAX, `${cpuMs} ms of processor time in a second`);
}
