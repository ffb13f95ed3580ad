// run-in: deno
// deadline-s: 600
// run-alone: it starts 32 processes at once
import assert from "node:assert/strict";
import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { sendAdminRequest } from "../../mod.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { type Runtime, runtimeCommand } from "../support/runtimes.ts";
import { type StartedProcess, startProcess } from "../support/spawn.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { isEvent, START_DEADLINE_MS } from "../support/topology.ts";

const BROKERS = 32;
const ROUNDS = process.env["RP_TEST_SCALE"] === "10" ? 20 : 2;
/** Bun starts quickest; each runtime takes part. */
const RUNTIMES: readonly Runtime[] = ["bun", "bun", "bun", "deno", "bun", "bun", "bun", "node20"];
const END = { deadlineMs: 60_000 };

test(`of ${BROKERS} brokers that start at once on an endpoint one serves, ${ROUNDS} rounds; the others exit with 75 and say who does`, async () => {
  await using dir = await makeTempDir();
  mkdirSync(dir.join("defs"), 0o700);
  mkdirSync(dir.join("run"), 0o700);
  for (let round = 0; round < ROUNDS; round++) {
    // Every other round finds the name of a broker that was killed.
    await race(dir, round % 2 === 0 ? "SIGKILL" : "SIGTERM", round % 2 === 0 ? "free" : "debris");
  }
});

async function race(dir: TempDir, ending: "SIGKILL" | "SIGTERM", name: "free" | "debris"): Promise<void> {
  const endpoint = dir.join("run", "br.sock");
  const brokers = Array.from(
    { length: BROKERS },
    (_, i) => start(RUNTIMES[i % RUNTIMES.length]!, endpoint, dir),
  );
  try {
    await Promise.all(brokers.map((broker) => broker.waitForLine(isEvent("ready"), START)));
    for (const broker of brokers) broker.writeLine("go");
    const winner = await lastOne(brokers);
    const losers = brokers.filter((broker) => broker !== winner);
    for (const loser of losers) {
      const { code } = await loser.waitForExit(END);
      const said = loser.stderrTail.join("\n");
      assert.equal(code, 75, said);
      checkMessage(said, endpoint, winner.pid, name);
    }
    assert.deepEqual(namesIn(dir.join("run")), { sockets: ["br.sock"], temporary: [] });
    assert.equal(await brokerPid(endpoint), winner.pid);
    winner.killGroup(ending);
    await winner.waitForExit(END);
    const left = ending === "SIGKILL" ? ["br.sock"] : [];
    assert.deepEqual(namesIn(dir.join("run")), { sockets: left, temporary: [] });
  } finally {
    for (const broker of brokers) await broker[Symbol.asyncDispose]();
  }
}

const START = { deadlineMs: 2 * START_DEADLINE_MS };

function start(runtime: Runtime, endpoint: string, dir: TempDir): StartedProcess {
  const args = ["--serve-launch", endpoint, "--service-def-dir", dir.join("defs")];
  const command = runtimeCommand(runtime, "tests/processes/gated_cli.ts", args);
  return startProcess({ ...command, env: { ...command.env, RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1" } });
}

/** The one that still runs when all others have ended. */
async function lastOne(brokers: readonly StartedProcess[]): Promise<StartedProcess> {
  const running = new Set(brokers);
  for (const broker of brokers) void broker.exit.then(() => running.delete(broker));
  const end = performance.now() + END.deadlineMs;
  while (running.size > 1 && performance.now() < end) {
    await Promise.race([...running].map((broker) => broker.exit));
  }
  assert.equal(running.size, 1, "one of them serves");
  return [...running][0]!;
}

/** One message, which names the endpoint, who has it, and what to do. */
function checkMessage(said: string, endpoint: string, pid: number, name: "free" | "debris"): void {
  const failures = said.split("\n").filter((line) => line.includes("failed"));
  assert.equal(failures.length, 1, said);
  const start = `running-process-broker-v1: serve failed: [endpoint-taken] Cannot publish "${endpoint}": `;
  const end = "; stop that process or choose another endpoint";
  const holder = `a process serves it (pid ${pid})`;
  // Among debris those who come late may only see others at work.
  const holders = name === "free" ? [holder] : [holder, "others want this name at the same time"];
  assert.ok(holders.some((text) => failures[0] === `${start}${text}${end}`), said);
}

async function brokerPid(endpoint: string): Promise<number> {
  const { body } = await sendAdminRequest(endpoint, { verb: AdminVerb.STATUS, json: true }, END);
  return (JSON.parse(body) as { broker_pid: number }).broker_pid;
}

function namesIn(folder: string): { sockets: string[]; temporary: string[] } {
  const names = readdirSync(folder);
  return {
    sockets: names.filter((name) => lstatSync(`${folder}/${name}`).isSocket()),
    temporary: names.filter((name) => /^\.[0-9a-f]{8}$/.test(name)),
  };
}
