// run-in: deno
// deadline-s: 300
import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import {
  type BackendConnection,
  BrokerClientError,
  type ConnectBackendRequest,
  connectToBackend,
} from "../../mod.ts";
import { readExactly } from "../faults/local_pair.ts";
import type { Runtime } from "../support/runtimes.ts";
import type { StartedProcess } from "../support/spawn.ts";
import {
  isEvent,
  SERVICE,
  START_DEADLINE_MS,
  startTopology,
  type Topology,
  VERSION,
} from "../support/topology.ts";
import { settled, until, WAIT, within } from "../support/waiting.ts";

const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node20"];
const CLIENTS = 5;
/** How long the clients here wait for a backend that does nothing. */
const PATIENCE_MS = 300;
const skip = process.platform !== "linux" && "only on Linux can a connection be drained";

function connect(
  { brokerEndpoint: broker }: Topology,
  request: string,
  more: Partial<ConnectBackendRequest> = {},
): Promise<BackendConnection> {
  const earlyData = { bytes: new TextEncoder().encode(request) };
  const deadlineMs = START_DEADLINE_MS;
  return connectToBackend({ service: SERVICE, version: VERSION, broker, deadlineMs, earlyData, ...more });
}

/** The echo of one request, and of the next one right behind it: it has run once. */
async function requireOnce({ stream }: BackendConnection, request: string): Promise<void> {
  const wanted = new TextEncoder().encode(`${request}|next`);
  await stream.write(new TextEncoder().encode("|next"));
  assert.deepEqual(await within("the answers", readExactly(stream, wanted.length)), wanted);
}

/** Connects until first requests travel along. */
async function warmUp(topology: Topology): Promise<void> {
  const lost = eventsOf(topology.broker, "handoff-channel-lost");
  for (let at = 0;; at++) {
    const session = await connect(topology, `warm ${at}`, { handoffReadyTimeoutMs: WAIT.deadlineMs });
    await requireOnce(session, `warm ${at}`);
    session.close();
    if (session.route === "handle-passed") return;
    await until("the channel", () => eventsOf(topology.broker, "handoff-channel") > lost);
  }
}

const eventsOf = ({ stdoutLines }: StartedProcess, name: string) => stdoutLines.filter(isEvent(name)).length;

for (const backend of RUNTIMES) {
  test(
    `rule 14: a backend in ${backend} that is stopped and goes on runs every first request once`,
    { skip },
    async () => {
      await using topology = await startTopology({ broker: "deno", backend });
      await warmUp(topology);
      const adopted = await settled(() => eventsOf(topology.backend, "adopted"));
      process.kill(topology.backend.pid, "SIGSTOP");
      const requests = Array.from({ length: CLIENTS }, (_, i) => `request ${i}`);
      const sessions = await Promise.all(
        requests.map((request) => connect(topology, request, { handoffReadyTimeoutMs: PATIENCE_MS })),
      );
      for (const { route, handoffFallback } of sessions) {
        assert.deepEqual([route, handoffFallback], [
          "broker-negotiated",
          `no handoff-ready event in ${PATIENCE_MS} ms`,
        ]);
      }
      if (backend === "deno") await overdue(topology);
      process.kill(topology.backend.pid, "SIGCONT");
      for (const [at, session] of sessions.entries()) {
        await requireOnce(session, requests[at]!);
        session.close();
      }
      await until("the refusals", () => eventsOf(topology.backend, "handoff-refused") === CLIENTS);
      assert.equal(eventsOf(topology.backend, "adopted"), adopted, "none of the offers was served");
      if (backend !== "deno") assert.equal(eventsOf(topology.broker, "handoff-channel-lost"), 0);
      await warmUp(topology);
    },
  );
}

/** The broker gives the offers up with their channel, so that the clients that follow need not wait, too. */
async function overdue({ broker }: Topology): Promise<void> {
  const line = await broker.waitForLine(isEvent("handoff-channel-lost"), { deadlineMs: START_DEADLINE_MS });
  assert.match(line, /no ACK before its deadline/);
  assert.equal(eventsOf(broker, "handoff-fallback"), CLIENTS);
}

test(
  "clients of a backend that is killed with their offers under way hear of it at once, in words",
  { skip },
  async () => {
    await using topology = await startTopology({ broker: "deno", backend: "deno" });
    await warmUp(topology);
    const passed = await settled(() => eventsOf(topology.broker, "connection-passed"));
    process.kill(topology.backend.pid, "SIGSTOP");
    const patience = { handoffReadyTimeoutMs: START_DEADLINE_MS };
    const asking = Array.from({ length: CLIENTS }, (_, i) =>
      connect(topology, `request ${i}`, patience).then(
        () => assert.fail("nobody is there to serve it"),
        (error: unknown) => error,
      ));
    await until("the offers", () => eventsOf(topology.broker, "connection-passed") === passed + CLIENTS);
    process.kill(topology.backend.pid, "SIGKILL");
    for (const error of await within("the ends", Promise.all(asking))) {
      assert.ok(error instanceof BrokerClientError, String(error));
      assert.ok(["BackendConnect", "Refused"].includes(error.kind), String(error));
    }
    await topology.broker.waitForLine(isEvent("handoff-channel-lost"), WAIT);
  },
);
