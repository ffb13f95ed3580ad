// run-in: deno
// run-alone: it bounds the time of an answer
import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { connectLocalSocket } from "../../mod.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { type Runtime, runtimeCommand } from "../support/runtimes.ts";
import { type StartedProcess, startProcess } from "../support/spawn.ts";
import { SERVICE, START_DEADLINE_MS, startTopology, VERSION } from "../support/topology.ts";
import { hostileKinds } from "./hostile_kinds.ts";
import { playHostile } from "./play_hostile.ts";
import { WAIT } from "../support/waiting.ts";

const ROUNDS = 10;
const SILENT_CLIENTS = 20;
/** What a good client may wait while the others misbehave, beside what the machine itself takes from all of them. */
const GOOD_ANSWER_MS_MAX = 250;
const WARM_UPS = 10;
/** For a whole round of it. */
const GOOD_CLIENT_DEADLINE_MS = 30_000;
/** None of the silent ones is to be dropped before the end. */
const FIRST_FRAME_DEADLINE_MS = 600_000;

/** Hostile clients at once: enough that some are always under way. */
const HOSTILE_AT_ONCE = 8;

/** What the good client reports of one line of its input. */
interface Answers {
  routes: Record<string, number>;
  failures: string[];
  slowest: { ms: number; queuedMs: number };
}

const brokerOptions = { helloRate: 0, firstFrameDeadlineMs: FIRST_FRAME_DEADLINE_MS };
const isLinux = process.platform === "linux";

describe("next to 20 silent clients and every kind of hostile one, 10 rounds", () => {
  for (const runtime of ["deno", "bun", "node20"] as const) {
    test(
      `a ${runtime} broker answers a good client within 250 ms each time and leaks no descriptor`,
      { skip: !isLinux && "counts descriptors in /proc" },
      () => besiege(runtime),
    );
  }
});

async function besiege(runtime: Runtime): Promise<void> {
  await using topology = await startTopology({
    backend: runtime,
    broker: runtime,
    quiet: true,
    brokerOptions,
  });
  const { brokerEndpoint: endpoint, broker } = topology;
  const peers = [broker.pid, topology.backend.pid];
  const argument = JSON.stringify({ service: SERVICE, version: VERSION, broker: endpoint, peers });
  await using process = startProcess(runtimeCommand("deno", "tests/faults/good_client.ts", [argument]));
  await process.waitForLine((line) => line.includes("ready"), { deadlineMs: START_DEADLINE_MS });
  await askGoodClient(process, WARM_UPS);
  await playAll(endpoint, 1);
  const fdsBefore = await settledFdCount(broker.pid);

  const silent = [];
  for (let i = 0; i < SILENT_CLIENTS; i++) silent.push(await connectLocalSocket(endpoint));
  for (let round = 1; round <= ROUNDS; round++) {
    const [kinds, answers] = await Promise.all([
      playAll(endpoint, round),
      askGoodClient(process, hostileKinds(round).length),
    ]);
    const { routes, failures, slowest } = answers;
    assert.deepEqual({ routes, failures }, { routes: { "handle-passed": kinds }, failures: [] });
    const { ms, queuedMs } = slowest;
    const seen = `${ms} ms, ${queuedMs} ms of it for a processor`;
    assert.ok(ms - queuedMs <= GOOD_ANSWER_MS_MAX, `round ${round}: the slowest answer took ${seen}`);
  }
  for (const stream of silent) stream.close();
  assert.equal(await fdCountAtMost(broker.pid, fdsBefore, WAIT.deadlineMs), fdsBefore);
}

/** Plays every kind once. @returns How many. */
async function playAll(endpoint: string, seed: number): Promise<number> {
  const kinds = hostileKinds(seed);
  const waiting = [...kinds];
  const lane = async () => {
    for (let kind = waiting.shift(); kind !== undefined; kind = waiting.shift()) {
      await playHostile(endpoint, kind);
    }
  };
  await Promise.all(Array.from({ length: HOSTILE_AT_ONCE }, lane));
  return kinds.length;
}

async function askGoodClient(process: StartedProcess, times: number): Promise<Answers> {
  const fromLine = process.stdoutLines.length;
  process.writeLine(String(times));
  return JSON.parse(await process.waitForLine(() => true, { deadlineMs: GOOD_CLIENT_DEADLINE_MS, fromLine }));
}
