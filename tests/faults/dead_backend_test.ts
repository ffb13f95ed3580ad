// run-in: deno
import assert from "node:assert/strict";
import { linkSync, renameSync } from "node:fs";
import process from "node:process";
import { after, describe, test } from "node:test";
import { BrokerClientError, connectToBackend } from "../../mod.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { type Runtime, runtimeCommand } from "../support/runtimes.ts";
import { type StartedProcess, startProcess } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import {
  defineService,
  isEvent,
  SERVICE,
  START_DEADLINE_MS,
  startTopology,
  VERSION,
} from "../support/topology.ts";
import { requireEcho, startLocalBackend, startLocalBroker } from "./local_pair.ts";
import { readToEnd } from "./play_hostile.ts";
import { WAIT, within } from "../support/waiting.ts";

const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node20"];
const deadlineMs = START_DEADLINE_MS;
const served = await startLocalBackend();
after(() => served[Symbol.asyncDispose]());

describe("a backend that is killed with the descriptor in its hands", () => {
  for (const runtime of RUNTIMES) {
    const skip = process.platform !== "linux" && "counts descriptors in /proc";
    test(`its client reconnects silently and at once (${runtime})`, { skip }, async () => {
      await using dir = await makeTempDir();
      const [endpoint, handoffEndpoint] = [dir.join("be.sock"), dir.join("ho.sock")];
      const command = runtimeCommand(runtime, "tests/faults/handoff_taker.ts", [handoffEndpoint, endpoint]);
      const serviceDefinitionDir = await defineService(dir, command.command);
      const before = await settledFdCount();
      {
        await using taker = startProcess(command);
        await taker.waitForLine(isEvent("ready"), { deadlineMs });
        const backend = { service: SERVICE, version: VERSION, endpoint, handoffEndpoint };
        await using broker = await startLocalBroker(served, { backend, serviceDefinitionDir });
        succeed(endpoint);
        const connecting = broker.connect();
        await taker.waitForLine(isEvent("taken"), { deadlineMs });
        taker.killGroup("SIGKILL");
        await using session = await connecting;
        assert.equal(session.route, "broker-negotiated");
        assert.equal(session.handoffFallback, "the broker closed the connection");
        await requireEcho(session.stream, "reconnected");
        const { stage, reason } = await broker.events.nth("handoff-fallback", 1);
        assert.deepEqual({ stage, reason }, { stage: "AwaitAck", reason: "BackendAckTimeout" });
      }
      assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
    });
  }
});

describe("a backend that is killed while it serves", () => {
  for (const runtime of RUNTIMES) {
    test(`its client sees the end, the next is refused, its successor is found (${runtime})`, async () => {
      await using topology = await startTopology({ backend: runtime, broker: runtime });
      const { brokerEndpoint: broker, backendEndpoint: endpoint, dir } = topology;
      const connect = () => connectToBackend({ service: SERVICE, version: VERSION, broker });
      await using session = await connect();
      assert.equal(session.route, "handle-passed");
      await requireEcho(session.stream, "served");
      topology.backend.killGroup("SIGKILL");
      assert.equal((await within("the end of the session", readToEnd(session.stream))).length, 0);
      await topology.backend.exit;

      const refused = await assertRefused(connect());
      assert.deepEqual(refused, { code: 3, reason: "backend is not registered", retryAfterMs: 1_000n });
      await topology.broker.waitForLine(isEvent("backend-lost"), { deadlineMs });

      const place = { endpoint, handoffEndpoint: dir.join("ho.sock"), namespace: "shared" };
      const argument = JSON.stringify({ service: SERVICE, version: VERSION, ...place });
      await using successor: StartedProcess = startProcess(
        runtimeCommand(runtime, "tests/processes/echo_backend.ts", [argument]),
      );
      await successor.waitForLine(isEvent("ready"), { deadlineMs });
      await using again = await connect();
      assert.equal(again.route, "handle-passed");
      await requireEcho(again.stream, "served by the successor");
      const verified = JSON.parse(
        await topology.broker.waitForLine(isEvent("backend-verified"), { deadlineMs }),
      );
      assert.equal(verified.pid, successor.pid);
    });
  }
});

/** Gives a backend's name to the one in this process, as a successor would that is there in time. */
function succeed(endpoint: string): void {
  linkSync(served.endpoint, `${endpoint}.new`);
  renameSync(`${endpoint}.new`, endpoint);
}

async function assertRefused(connecting: Promise<unknown>) {
  const error = await connecting.then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof BrokerClientError, String(error));
  assert.equal(error.kind, "Refused");
  return error.refusal;
}
