// run-in: deno
// deadline-s: 600
import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { connectToBackend, sendAdminRequest } from "../../mod.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { hostileKinds } from "../faults/hostile_kinds.ts";
import { requireEcho } from "../faults/local_pair.ts";
import { playHostile } from "../faults/play_hostile.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import type { Runtime } from "../support/runtimes.ts";
import { SERVICE, startTopology, type Topology, VERSION } from "../support/topology.ts";
import { WAIT } from "../support/waiting.ts";

const SOAK_MS = process.env["RP_TEST_SCALE"] === "10" ? 60_000 : 6_000;
const GOOD_CLIENTS = 8;
const HOSTILE_AT_ONCE = 8;
const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node20"];
const skip = process.platform !== "linux" && "counts descriptors in /proc";

/** All clients are of one process here, and there are more of them than a tool has. */
const brokerOptions = { helloRate: 0, connectionsPerProcessMax: 400 };

describe(`every kind of hostile client for ${SOAK_MS / 1000} s: ${GOOD_CLIENTS} good clients are all served, and no descriptor is lost`, () => {
  for (const runtime of RUNTIMES) test(`a ${runtime} broker`, { skip }, () => soak(runtime));
});

async function soak(runtime: Runtime): Promise<void> {
  await using topology = await startTopology({
    backend: "bun",
    broker: runtime,
    quiet: true,
    brokerOptions,
  });
  const { broker, brokerEndpoint: endpoint } = topology;
  for (const kind of hostileKinds(0)) await playHostile(endpoint, kind);
  await Promise.all(Array.from({ length: GOOD_CLIENTS }, () => serveOnce(topology)));
  const fdsBefore = await settledFdCount(broker.pid);

  const end = performance.now() + SOAK_MS;
  const hostile = Array.from({ length: HOSTILE_AT_ONCE }, (_, lane) => playUntil(endpoint, end, lane));
  const good = Array.from({ length: GOOD_CLIENTS }, () => workUntil(topology, end));
  const played = (await Promise.all(hostile)).flat();
  const served = (await Promise.all(good)).reduce((sum, count) => sum + count, 0);
  const kinds = hostileKinds(0).map(({ name }) => name);
  assert.deepEqual(kinds.filter((name) => !played.includes(name)), [], "every kind was played");
  console.log(`${runtime}: ${served} good connections beside ${played.length} hostile ones`);

  assert.ok(await fdCountAtMost(broker.pid, fdsBefore, WAIT.deadlineMs) <= fdsBefore, "descriptors are lost");
  const { body } = await sendAdminRequest(endpoint, { verb: AdminVerb.STATUS, json: true }, WAIT);
  assert.equal((JSON.parse(body) as { connections_open: number }).connections_open, 1, "the one that asks");
}

/** Plays every kind in turn, each lane from another one on, and at least once altogether. @returns Their names. */
async function playUntil(endpoint: string, end: number, lane: number): Promise<string[]> {
  const played: string[] = [];
  for (let round = 0; round === 0 || performance.now() < end; round++) {
    const kinds = hostileKinds(round * HOSTILE_AT_ONCE + lane);
    for (let i = lane; i < kinds.length; i += round === 0 ? HOSTILE_AT_ONCE : 1) {
      if (round > 0 && performance.now() > end) break;
      await playHostile(endpoint, kinds[i]!);
      played.push(kinds[i]!.name);
    }
  }
  return played;
}

async function workUntil(topology: Topology, end: number): Promise<number> {
  let count = 0;
  for (; count === 0 || performance.now() < end; count++) await serveOnce(topology);
  return count;
}

async function serveOnce({ brokerEndpoint: broker }: Topology): Promise<void> {
  await using session = await connectToBackend({ service: SERVICE, version: VERSION, broker, ...WAIT });
  await requireEcho(session.stream, `as ${session.route}`);
}
