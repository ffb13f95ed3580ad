// run-in: deno
import assert from "node:assert/strict";
import { BrokerClientError, connectLocalSocket, connectToBackend } from "@running-process/broker";
import type { ConnectBackendRequest } from "../../src/client/connect_backend_request.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { FrameKind } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { ADMIN_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { isEvent, SERVICE, VERSION } from "../support/topology.ts";
import { type BrokerPart, isServed, runRustClient, startBackend, startBroker } from "./_parts.ts";
import { quirkTest } from "./_quirks.ts";

const EVENT_DEADLINE_MS = 20_000;
/** Within it a client is served that is served at all. */
const BLOCKED_MS = 1_000;

quirkTest("bad-admin-frame-ends-the-broker", async (lab) => {
  const backend = await startBackend(lab, "rust");
  const theirs = await startBroker(lab, "rust", backend);
  await sendBadAdminFrame(theirs);
  await theirs.process.waitForLine(isEvent("rebind"), { deadlineMs: EVENT_DEADLINE_MS });
  const ours = await startBroker(lab, "deno", backend);
  await sendBadAdminFrame(ours);
  assert.equal(await routeOf(ours), "broker-negotiated");
});

quirkTest("silent-client-blocks-the-broker", async (lab) => {
  const backend = await startBackend(lab, "rust");
  for (const [player, wanted] of [["rust", "Deadline"], ["deno", "broker-negotiated"]] as const) {
    const broker = await startBroker(lab, player, backend);
    const silent = await connectLocalSocket(broker.endpoint);
    const deadlineMs = player === "rust" ? BLOCKED_MS : EVENT_DEADLINE_MS;
    assert.equal(await routeOf(broker, { deadlineMs }), wanted, player);
    silent.close();
  }
});

quirkTest("connection-id-is-always-1", async (lab) => {
  const backend = await startBackend(lab, "rust");
  for (const [player, wanted] of [["rust", [1n, 1n, 1n]], ["deno", [1n, 2n, 3n]]] as const) {
    const broker = await startBroker(lab, player, backend);
    const ids: (bigint | undefined)[] = [];
    for (let i = 0; i < wanted.length; i++) {
      await using session = await connectToBackend(optionsFor(broker));
      ids.push(session.negotiated?.connectionId);
    }
    assert.deepEqual(ids, wanted, player);
  }
});

quirkTest("version-shape-checked-late", async (lab) => {
  const broker = await startBroker(lab, "rust", await startBackend(lab, "rust"));
  assert.equal(await routeOf(broker, { version: "bogus" }), "Refused 3: backend is not registered");
}, ["4.5.7"]);

quirkTest("token-without-handoff-endpoint", async (lab) => {
  const backend = await startBackend(lab, "rust");
  for (const [player, tokenBytes] of [["rust", 16], ["deno", undefined]] as const) {
    const broker = await startBroker(lab, player, backend, { takesHandoffs: false });
    await using session = await connectToBackend(optionsFor(broker, { adoptHandedOffConnection: true }));
    assert.deepEqual(
      [session.route, session.handoffToken?.length],
      ["broker-negotiated", tokenBytes],
      player,
    );
    const fallback = player === "rust" ? "the broker closed the connection" : undefined;
    assert.equal(session.handoffFallback, fallback, player);
  }
});

quirkTest("handoff-not-announced", async (lab) => {
  const backend = await startBackend(lab, "rust");
  for (const [player, route] of [["rust", "broker-negotiated"], ["deno", "handle-passed"]] as const) {
    const broker = await startBroker(lab, player, backend);
    await using session = await connectToBackend(optionsFor(broker, { adoptHandedOffConnection: "auto" }));
    assert.deepEqual([session.route, session.handoffFallback], [route, undefined], player);
  }
});

quirkTest("handoff-unasked", async (lab) => {
  const backend = await startBackend(lab, "deno");
  for (const player of ["rust", "deno"] as const) {
    const broker = await startBroker(lab, player, backend);
    const fromLine = backend.process.stdoutLines.length;
    const seen = await runRustClient(lab, broker);
    assert.equal(seen["route"], "BrokerNegotiated", player);
    const wait = { deadlineMs: EVENT_DEADLINE_MS, fromLine };
    await backend.process.waitForLine(isOrphan, wait);
    await backend.process.waitForLine(isServed(backend, "endpoint"), wait);
  }
});

quirkTest("silent-backend-blocks-the-broker", async (lab) => {
  const backend = await startBackend(lab, "rust", "--silent-handoff");
  for (const [player, wanted] of [["rust", "Deadline"], ["deno", "broker-negotiated"]] as const) {
    const broker = await startBroker(lab, player, backend);
    const first = { adoptHandedOffConnection: true, handoffReadyTimeoutMs: 100 };
    assert.equal(await routeOf(broker, first), "broker-negotiated", player);
    const deadlineMs = player === "rust" ? BLOCKED_MS : EVENT_DEADLINE_MS;
    assert.equal(await routeOf(broker, { deadlineMs }), wanted, player);
  }
});

/** The passed connection of a client that has gone elsewhere, noticed before or after it is adopted. */
function isOrphan(line: string): boolean {
  const { event, origin, reason } = JSON.parse(line) as { event: string; origin?: string; reason?: string };
  return event === "handoff-refused"
    ? reason === "connection-eof"
    : event === "connection-unused" && origin === "handoff";
}

function optionsFor(
  { endpoint }: BrokerPart,
  options: Partial<ConnectBackendRequest> = {},
): ConnectBackendRequest {
  return {
    service: SERVICE,
    version: VERSION,
    broker: endpoint,
    adoptHandedOffConnection: false,
    ...options,
  };
}

/** The route that a client takes, or the kind of its error. */
async function routeOf(broker: BrokerPart, options: Partial<ConnectBackendRequest> = {}): Promise<string> {
  try {
    await using session = await connectToBackend(optionsFor(broker, options));
    return session.route;
  } catch (error) {
    if (!(error instanceof BrokerClientError)) throw error;
    const { kind, refusal } = error;
    return refusal === undefined ? kind : `${kind} ${refusal.code}: ${refusal.reason}`;
  }
}

async function sendBadAdminFrame(broker: BrokerPart): Promise<void> {
  const stream = await connectLocalSocket(broker.endpoint);
  await stream.write(encodeFramed({
    envelopeVersion: 1,
    kind: FrameKind.RESPONSE,
    payloadProtocol: ADMIN_PAYLOAD_PROTOCOL,
  }));
  assert.equal(await stream.read(), null, "no answer");
  stream.close();
}
