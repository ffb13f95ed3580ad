// run-in: deno
import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { settledFdCount } from "../support/fd_count.ts";
import type { Runtime } from "../support/runtimes.ts";
import type { StartedProcess } from "../support/spawn.ts";
import { collectedKib, startTopology, type Topology } from "../support/topology.ts";

/** Until here everything is compiled and every buffer has its size. */
const WARM_UP_HANDOFFS = 1_000;
/** The long run has 10,000 in all. */
const HANDOFFS = WARM_UP_HANDOFFS + (process.env["RP_TEST_SCALE"] === "10" ? 9_000 : 1_000);
/**
 * Garbage is collected after every round: left to itself a runtime waits for megabytes of it, and what the C
 * library then gets back it keeps, so that the resident size says when collections happened and nothing else.
 */
const ROUND_HANDOFFS = 1_000;
/** A handoff takes a few milliseconds, on a loaded machine ten times that. */
const DEADLINE_MS = 60_000 + HANDOFFS * 60;
/** Memory that has not become less for so long is believed. */
const CALM_MS = 1_500;
/** Less by a hundredth is less. */
const CALM_RATIO = 0.99;
const CALM_POLL_MS = 150;
const MEMORY_GROWTH_MAX = 1.1;

for (const runtime of ["deno", "bun", "node20", "node24"] as const satisfies readonly Runtime[]) {
  test(`${HANDOFFS} handoffs in a row in ${runtime} leave no descriptor and no memory behind`, async (t) => {
    await using topology = await startTopology({
      broker: runtime,
      backend: runtime,
      quiet: true,
      canCollect: true,
      brokerOptions: { helloRate: 0 },
    });
    await handOver(topology, runtime, WARM_UP_HANDOFFS);
    // Before anything waits, as at the end: a runtime that is idle gives memory back.
    const warm = await memory(topology);
    // The channel stands from now on.
    const fds = await fdCounts(topology);
    for (let done = WARM_UP_HANDOFFS; done < HANDOFFS; done += ROUND_HANDOFFS) {
      await handOver(topology, runtime, ROUND_HANDOFFS);
      for (const part of [topology.broker, topology.backend]) await collectedKib(part);
    }
    const end = await memory(topology);
    t.diagnostic(
      `${runtime}: fds ${fds}, resident KiB broker ${warm.broker} -> ${end.broker}, ` +
        `backend ${warm.backend} -> ${end.backend}`,
    );
    assert.deepEqual(await fdCounts(topology), fds, "descriptors of broker and backend");
    for (const part of ["broker", "backend"] as const) {
      const growth = end[part] / warm[part];
      assert.ok(growth <= MEMORY_GROWTH_MAX, `${part} grew from ${warm[part]} to ${end[part]} KiB`);
    }
  });
}

async function handOver(topology: Topology, runtime: Runtime, repeat: number): Promise<void> {
  const { event, routes, corrupt, message } = await topology.client(runtime, { repeat }, DEADLINE_MS);
  assert.deepEqual({ event, routes, corrupt }, {
    event: "done",
    routes: { "handle-passed": repeat },
    corrupt: 0,
  }, message);
}

async function fdCounts({ broker, backend }: Topology): Promise<number[]> {
  return [await settledFdCount(broker.pid), await settledFdCount(backend.pid)];
}

/**
 * A runtime gives pages back some time after they are free, Bun after a second or more: what is held is the least
 * that is seen until it does not become less.
 */
async function heldKib(part: StartedProcess): Promise<number> {
  let least = Infinity;
  for (let lastFallMs = performance.now(); performance.now() - lastFallMs < CALM_MS;) {
    const seen = await collectedKib(part);
    if (seen < least * CALM_RATIO) lastFallMs = performance.now();
    least = Math.min(least, seen);
    await delay(CALM_POLL_MS);
  }
  return least;
}

async function memory({ broker, backend }: Topology): Promise<{ broker: number; backend: number }> {
  const [held, heldByBackend] = await Promise.all([heldKib(broker), heldKib(backend)]);
  return { broker: held, backend: heldByBackend };
}
