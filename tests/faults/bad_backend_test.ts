import assert from "node:assert/strict";
import process from "node:process";
import { after, describe, test } from "node:test";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { SERVICE, VERSION } from "../support/topology.ts";
import { type LocalBroker, requireEcho, startLocalBackend, startLocalBroker } from "./local_pair.ts";
import { startScripted } from "./scripted_pair.ts";
import { accepting, FAILING_SCRIPTS } from "./scripted_handoffs.ts";
import { WAIT } from "../support/waiting.ts";

/** The failures after which a backend's handoffs pause. */
const FAILURES_MAX = 8;
const isLinux = process.platform === "linux";

const served = await startLocalBackend();
after(() => served[Symbol.asyncDispose]());

async function requireSilentReconnect(broker: LocalBroker): Promise<void> {
  await using session = await broker.connect();
  assert.equal(session.route, "broker-negotiated");
  assert.equal(session.handoffFallback, "the broker closed the connection");
  await requireEcho(session.stream, "reconnected");
}

describe("a client whose backend fails the handoff reconnects silently and at once", () => {
  for (const [name, { script, detail }] of Object.entries(FAILING_SCRIPTS)) {
    test(`a backend that ${name}`, async () => {
      await using scripted = await startScripted(served, script);
      const { broker } = scripted;
      await requireSilentReconnect(broker);
      const fallback = await broker.events.nth("handoff-fallback", 1);
      assert.match(fallback.detail, detail);
      assert.equal(fallback.reason, "BackendAckTimeout");
      assert.deepEqual(broker.events.of("handoff-completed"), []);
    });
  }

  test("a handoff endpoint that is not there", async () => {
    const handoffEndpoint = served.dir.join("nobody.sock");
    const backend = { service: SERVICE, version: VERSION, endpoint: served.endpoint, handoffEndpoint };
    await using broker = await startLocalBroker(served, { backend });
    await requireSilentReconnect(broker);
    const { stage, reason } = await broker.events.nth("handoff-fallback", 1);
    assert.deepEqual({ stage, reason }, { stage: "Dial", reason: "BackendAckTimeout" });
  });
});

test("a second ACK changes nothing: the client keeps its connection", async () => {
  await using scripted = await startScripted(served, accepting(2));
  await using session = await scripted.broker.connect();
  assert.equal(session.route, "handle-passed");
  await requireEcho(session.stream, "once");
  await scripted.broker.events.nth("handoff-completed", 1);
  assert.deepEqual(scripted.broker.events.of("handoff-fallback"), []);
});

test(
  "failed handoffs leave no descriptor open",
  { skip: !isLinux && "counts descriptors in /proc" },
  async () => {
    await using scripted = await startScripted(served, accepting(1));
    const { broker } = scripted;
    await (await broker.connect())[Symbol.asyncDispose]();
    const before = await settledFdCount();
    for (const { script } of Object.values(FAILING_SCRIPTS)) {
      scripted.use(script);
      await requireSilentReconnect(broker);
      // One that works, so that the failures do not pause the handoffs.
      scripted.use(accepting(1));
      await (await broker.connect())[Symbol.asyncDispose]();
    }
    assert.equal(broker.events.of("handoff-fallback").length, Object.keys(FAILING_SCRIPTS).length);
    assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
  },
);

test("after 8 failures the broker announces no more handoffs of that backend", async () => {
  await using scripted = await startScripted(served, FAILING_SCRIPTS["refuses by ACK"]!.script);
  const { broker, handoffs } = scripted;
  for (let i = 0; i < FAILURES_MAX; i++) await requireSilentReconnect(broker);
  scripted.use(accepting(1));
  for (const adoptHandedOffConnection of ["auto", true] as const) {
    await using session = await broker.connect({ adoptHandedOffConnection });
    assert.equal(session.route, "broker-negotiated");
    assert.equal(session.handoffFallback, undefined);
    assert.equal(session.handoffToken, undefined);
    assert.equal(session.negotiated?.serverCapabilities, 0n);
    await requireEcho(session.stream, "not handed over");
  }
  assert.equal(handoffs.dials, FAILURES_MAX);
  assert.equal(broker.events.of("handoff-fallback").length, FAILURES_MAX);
});

test("a handoff that works makes the failures before it forgotten", async () => {
  const refuses = FAILING_SCRIPTS["refuses by ACK"]!.script;
  await using scripted = await startScripted(served, refuses);
  for (let round = 1; round <= 2; round++) {
    scripted.use(refuses);
    for (let i = 0; i < FAILURES_MAX - 1; i++) await requireSilentReconnect(scripted.broker);
    scripted.use(accepting(1));
    await using session = await scripted.broker.connect();
    assert.equal(session.route, "handle-passed", `round ${round}`);
    await scripted.broker.events.nth("handoff-completed", round);
  }
});
