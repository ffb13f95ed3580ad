// run-in: deno
import assert from "node:assert/strict";
import test from "node:test";
import type { Runtime } from "../support/runtimes.ts";
import { startTopology } from "../support/topology.ts";

const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node20"];
/** More than the socket buffers hold together, so that both directions wait for each other. */
const PAYLOAD_BYTES = 1024 * 1024;

for (const broker of RUNTIMES) {
  for (const backend of RUNTIMES) {
    test(`a broker in ${broker} hands connections of all runtimes to a backend in ${backend}`, async () => {
      await using topology = await startTopology({ broker, backend });
      for (const client of RUNTIMES) {
        const handed = await topology.client(client, { repeat: 3, bytes: PAYLOAD_BYTES });
        assert.deepEqual(
          outcome(handed),
          { event: "done", routes: { "handle-passed": 3 }, corrupt: 0 },
          client,
        );
        const dialled = await topology.client(client, {
          bytes: PAYLOAD_BYTES,
          adoptHandedOffConnection: false,
        });
        assert.deepEqual(
          outcome(dialled),
          { event: "done", routes: { "broker-negotiated": 1 }, corrupt: 0 },
          client,
        );
      }
    });
  }
}

function outcome(
  { event, routes, corrupt }: { event: string; routes: Record<string, number>; corrupt: number },
) {
  return { event, routes, corrupt };
}
