// run-in: deno, bun, node20
import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { CONTROLS_MAX } from "../../src/backend/handoff_acceptor.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { requireEcho, startLocalBackend, startLocalBroker } from "./local_pair.ts";
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

async function requireRoute(route: "handle-passed" | "broker-negotiated"): Promise<void> {
  await using session = await broker.connect();
  assert.equal(session.route, route, session.handoffFallback);
  await requireEcho(session.stream, route);
}

test(
  `more than ${CONTROLS_MAX} silent brokers cost their successors a reconnect and no more`,
  { skip },
  async () => {
    await requireRoute("handle-passed");
    const before = await settledFdCount();
    const start = performance.now();
    const silent = [];
    for (let i = 0; i < CONTROLS_MAX; i++) silent.push(await dialRaw(served.handoffEndpoint));

    const tooMany = await dialRaw(served.handoffEndpoint);
    assert.equal((await tooMany.answer()).length, 0);
    tooMany.close();
    assert.deepEqual(served.events.of("handoff-refused"), [], "the others are waited for");
    await requireRoute("broker-negotiated");

    silent.pop()?.close();
    assert.equal((await served.events.nth("handoff-refused", 1)).reason, "control-eof");
    await requireRoute("handle-passed");

    await served.events.nth("handoff-refused", CONTROLS_MAX);
    const tookMs = performance.now() - start;
    assert.ok(tookMs >= OFFER_DEADLINE_MS - 5, `dropped after ${tookMs} ms`);
    const reasons = served.events.of("handoff-refused").slice(1).map(({ reason }) => reason);
    assert.deepEqual([...new Set(reasons)], ["deadline"]);
    for (const control of silent) control.close();
    assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);
  },
);
