// run-in: deno
import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { connectLocalSocket, connectToBackend } from "../../mod.ts";
import { CAPABILITY_HANDLE_PASSING, CAPABILITY_HANDOFF_ANNOUNCED } from "../../src/wire/constants.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import type { Runtime } from "../support/runtimes.ts";
import { SERVICE, startTopology, VERSION } from "../support/topology.ts";
import { helloFrame } from "./hostile_frames.ts";
import { requireEcho } from "./local_pair.ts";
import { WAIT, within } from "../support/waiting.ts";

const HANDOFFS = 300;
const WARM_UP_HANDOFFS = 20;
const clientCapabilities = CAPABILITY_HANDLE_PASSING | CAPABILITY_HANDOFF_ANNOUNCED;
const HELLO = helloFrame({ clientCapabilities });
const skip = process.platform !== "linux" && "counts descriptors in /proc";

/** What a client does with the connection that is being handed over. */
const endings: readonly ((broker: string) => Promise<void>)[] = [
  async function staysToTheEnd(broker) {
    await using session = await connectToBackend({ service: SERVICE, version: VERSION, broker });
    assert.equal(session.route, "handle-passed", session.handoffFallback);
    await requireEcho(session.stream, "served");
  },
  async function leavesAtOnce(broker) {
    const stream = await connectLocalSocket(broker);
    await stream.write(HELLO);
    stream.close();
  },
  async function leavesBehindTheReply(broker) {
    const stream = await connectLocalSocket(broker);
    await stream.write(HELLO);
    await within("the reply", readFrame(stream));
    stream.close();
  },
  async function leavesBehindTheReadyEvent(broker) {
    const stream = await connectLocalSocket(broker);
    await stream.write(HELLO);
    for (const what of ["the reply", "the ready event"]) await within(what, readFrame(stream));
    stream.close();
  },
];

describe(`${HANDOFFS} handoffs whose clients leave at every point of them`, () => {
  for (const runtime of ["deno", "bun", "node20"] as const satisfies readonly Runtime[]) {
    test(`leave no descriptor behind in broker and backend (${runtime})`, { skip }, async () => {
      await using topology = await startTopology({
        broker: runtime,
        backend: runtime,
        quiet: true,
        brokerOptions: { helloRate: 0 },
      });
      const { broker, backend, brokerEndpoint } = topology;
      for (let i = 0; i < WARM_UP_HANDOFFS; i++) await endings[i % endings.length]!(brokerEndpoint);
      const before = [await settledFdCount(broker.pid), await settledFdCount(backend.pid)] as const;
      for (let i = 0; i < HANDOFFS; i++) await endings[i % endings.length]!(brokerEndpoint);
      const after = [
        await fdCountAtMost(broker.pid, before[0], WAIT.deadlineMs),
        await fdCountAtMost(backend.pid, before[1], WAIT.deadlineMs),
      ];
      assert.deepEqual(after, before);
    });
  }
});
