// run-in: deno
import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { settledFdCount } from "../support/fd_count.ts";
import type { Runtime } from "../support/runtimes.ts";
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
    // The channel stands from now on.
    const fds = await fdCounts(topology);
    const warm = await memory(topology);
    let end = warm;
    for (let done = WARM_UP_HANDOFFS; done < HANDOFFS; done += ROUND_HANDOFFS) {
      await handOver(topology, runtime, ROUND_HANDOFFS);
      end = await memory(topology);
    }
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

async function memory({ broker, backend }: Topology): Promise<{ broker: number; backend: number }> {
  return { broker: await collectedKib(broker), backend: await collectedKib(backend) };
}
