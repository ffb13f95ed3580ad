// run-in: deno, bun, node20
import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { CONTROLS_MAX } from "../../src/backend/handoff_acceptor.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { type LocalBroker, requireEcho, startLocalBackend, startLocalBroker } from "./local_pair.ts";
import { dialRaw } from "./raw_control.ts";
import { WAIT } from "../support/waiting.ts";

/** How long a backend waits for an offer. */
const OFFER_DEADLINE_MS = 5_000;
const skip = process.platform !== "linux" && "counts descriptors in /proc";

const served = await startLocalBackend();
const broker = await startLocalBroker(served);
after(async () => {
  await broker[Symbol.asyncDispose]();
  await served[Symbol.asyncDispose]();
});

async function requireRoute(by: LocalBroker, route: "handle-passed" | "broker-negotiated"): Promise<void> {
  await using session = await by.connect();
  assert.equal(session.route, route, session.handoffFallback);
  await requireEcho(session.stream, route);
}

test(
  `more than ${CONTROLS_MAX} silent brokers cost a newcomer a reconnect, and nothing where a channel stands`,
  { skip },
  async () => {
    await requireRoute(broker, "handle-passed");
    await broker.events.nth("handoff-channel", 1);
    const before = await settledFdCount();
    const start = performance.now();
    // The channel is one of them.
    const silentMax = CONTROLS_MAX - 1;
    const silent = [];
    for (let i = 0; i < silentMax; i++) silent.push(await dialRaw(served.handoffEndpoint));

    const tooMany = await dialRaw(served.handoffEndpoint);
    assert.equal((await tooMany.answer()).length, 0);
    tooMany.close();
    assert.deepEqual(served.events.of("handoff-refused"), [], "the others are waited for");
    await requireRoute(broker, "handle-passed");
    const newcomer = await startLocalBroker(served);
    await requireRoute(newcomer, "broker-negotiated");

    silent.pop()?.close();
    assert.equal((await served.events.nth("handoff-refused", 1)).reason, "control-eof");
    await requireRoute(newcomer, "handle-passed");
    await newcomer[Symbol.asyncDispose]();

    await served.events.nth("handoff-refused", silentMax);
    const tookMs = performance.now() - start;
    assert.ok(tookMs >= OFFER_DEADLINE_MS - 5, `dropped after ${tookMs} ms`);
    const reasons = served.events.of("handoff-refused").slice(1).map(({ reason }) => reason);
    assert.deepEqual([...new Set(reasons)], ["deadline"]);
    for (const control of silent) control.close();
    assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
  },
);
