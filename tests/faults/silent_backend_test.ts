// run-in: deno, bun, node20
import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import type { IncomingControl } from "../../src/transport/transport.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { requireEcho, startLocalBackend } from "./local_pair.ts";
import { accepting, takeOffer } from "./scripted_handoffs.ts";
import { startScripted } from "./scripted_pair.ts";
import { TEST_DEADLINE_MS, within } from "./within.ts";

/** The failures after which a backend's handoffs pause. */
const FAILURES_MAX = 8;
/** How long a broker waits for an ACK: well over the client's own patience below. */
const ACK_DEADLINE_MS = 5_000;
const PATIENCE_MS = 400;
const skip = process.platform !== "linux" && "counts descriptors in /proc";

const served = await startLocalBackend();
after(() => served[Symbol.asyncDispose]());

test("a backend that never answers holds up its own clients only, and is given up", { skip }, async () => {
  await using pair = await startScripted(served, accepting(1));
  const { broker } = pair;
  await (await broker.connect())[Symbol.asyncDispose]();
  const before = await settledFdCount();
  const start = performance.now();
  const kept: { close(): void }[] = [];
  const offers: PromiseWithResolvers<void>[] = Array.from(
    { length: FAILURES_MAX },
    () => Promise.withResolvers<void>(),
  );

  // Half of the handoffs are taken and never answered, the others are not even looked at.
  pair.use(async (control: IncomingControl) => {
    const mine = kept.length;
    kept.push(control);
    if (mine % 2 === 0) kept.push((await takeOffer(control)).connection);
    offers.shift()?.resolve();
  });
  let patient = 0;
  const patients = Array.from({ length: FAILURES_MAX }, async () => {
    await using session = await broker.connect({ handoffReadyTimeoutMs: PATIENCE_MS });
    patient++;
    assert.equal(session.route, "broker-negotiated");
    assert.equal(session.handoffFallback, `no handoff-ready event in ${PATIENCE_MS} ms`);
    await requireEcho(session.stream, "reconnected");
  });
  await within("the silent backend's offers", Promise.all([...offers].map(({ promise }) => promise)));

  pair.use(accepting(1));
  for (const adoptHandedOffConnection of [false, "auto"] as const) {
    await using next = await broker.connect({ adoptHandedOffConnection });
    await requireEcho(next.stream, "served meanwhile");
    assert.equal(next.route, adoptHandedOffConnection ? "handle-passed" : "broker-negotiated");
  }
  assert.equal(patient, 0, "the next clients were served while the first ones still waited");
  await Promise.all(patients);

  const last = await broker.events.nth("handoff-fallback", FAILURES_MAX);
  assert.deepEqual({ stage: last.stage, detail: last.detail }, {
    stage: "AwaitAck",
    detail: "no ACK before its deadline",
  });
  const tookMs = performance.now() - start;
  assert.ok(tookMs >= ACK_DEADLINE_MS - 5, `given up after ${tookMs} ms`);
  for (const held of kept) held.close();
  assert.equal(await fdCountAtMost(process.pid, before, TEST_DEADLINE_MS), before);

  await using later = await broker.connect();
  assert.equal(later.handoffToken, undefined, "8 silent failures pause the handoffs");
  await requireEcho(later.stream, "not handed over");
});
