// run-in: deno
// deadline-s: 900
import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { BrokerClientError, BrokerError } from "@running-process/broker";
import { echo, killIfRunning, LaunchLab, scriptDefinition } from "../interop/_launch_lab.ts";
import { untilEnded } from "../support/process_end.ts";
import type { Runtime } from "../support/runtimes.ts";

const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node20"];
const KILLS = process.env["RP_TEST_SCALE"] === "10" ? 60 : 6;
/** Clients that are in the middle of something when a backend is killed. */
const CLIENTS = 3;
/** Between two connections of each, so that all stay below what a process may send in a second. */
const PAUSE_MS = 25;
const KILL_AFTER_MAX_MS = 60;

for (const broker of RUNTIMES) {
  test(`a backend is killed ${KILLS} times at any moment: a broker in ${broker} sends nobody to a dead one`, async () => {
    await using lab = await LaunchLab.open(scriptDefinition("bun"), broker);
    await assertServed(lab);
    let fresh = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = lab.starts.at(-1)!;
      const stop = new AbortController();
      const traffic = Array.from({ length: CLIENTS }, () => talk(lab, stop.signal));
      const afterMs = Math.random() * KILL_AFTER_MAX_MS;
      await pause(afterMs);
      killIfRunning(victim);
      await untilEnded(victim);
      const outcome = await nextHello(lab);
      if (outcome === "served") fresh++;
      else assert.match(outcome, /^refused: backend spawn/, `kill ${kill} after ${afterMs} ms`);
      assert.notEqual(lab.starts.at(-1), victim, `kill ${kill} after ${afterMs} ms`);
      stop.abort();
      await Promise.all(traffic);
    }
    assert.equal(fresh, KILLS);
    assert.equal(lab.starts.length, KILLS + 1);
  });
}

/** Connects and echoes until told to stop. Whoever meets the end of a backend is told so by an error of ours. */
async function talk(lab: LaunchLab, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      await using session = await lab.connect();
      await echo(session, "in the middle");
    } catch (error) {
      assert.ok(error instanceof BrokerClientError || BrokerError.is(error), String(error));
    }
    await pause(PAUSE_MS);
  }
}

async function nextHello(lab: LaunchLab): Promise<string> {
  try {
    await assertServed(lab);
    return "served";
  } catch (error) {
    if (error instanceof BrokerClientError && error.refusal !== undefined) {
      return `refused: ${error.refusal.reason}`;
    }
    throw error;
  }
}

async function assertServed(lab: LaunchLab): Promise<void> {
  await using session = await lab.connect();
  assert.equal(await echo(session, "hello"), "hello");
}

function pause(pauseMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}
