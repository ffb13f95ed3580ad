// run-in: deno, bun, node20
import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import type { IncomingControl } from "../../src/transport/transport.ts";
import { fdCountAtMost, settledFdCount } from "../support/fd_count.ts";
import { requireEcho, startLocalBackend } from "./local_pair.ts";
import { accepting, takeOffer } from "./scripted_handoffs.ts";
import { startScripted } from "./scripted_pair.ts";
import { WAIT } from "../support/waiting.ts";

/** The failures after which a backend's handoffs pause. */
const FAILURES_MAX = 8;
/** How long a broker waits for an ACK. */
const ACK_DEADLINE_MS = 5_000;
/** How long a client waits for the ready event. */
const PATIENCE_MS = 2_000;
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
  let dials = 0;
  // Half of the first handoffs are taken and never answered, the others are not even looked at.
  pair.use(async (control: IncomingControl) => {
    const dial = dials++;
    if (dial >= FAILURES_MAX) return await accepting(1)(control);
    kept.push(control);
    if (dial % 2 === 0) kept.push((await takeOffer(control)).connection);
  });
  let ended = 0;
  const bePatient = async () => {
    await using session = await broker.connect({ handoffReadyTimeoutMs: PATIENCE_MS });
    ended++;
    assert.equal(session.route, "broker-negotiated");
    assert.equal(session.handoffFallback, `no handoff-ready event in ${PATIENCE_MS} ms`);
    await requireEcho(session.stream, "reconnected");
  };
  const comeNext = async (adoptHandedOffConnection: "auto" | false) => {
    await broker.events.nth("connection-passed", 1 + FAILURES_MAX);
    await using next = await broker.connect({ adoptHandedOffConnection });
    await requireEcho(next.stream, "served meanwhile");
    assert.equal(next.route, adoptHandedOffConnection ? "handle-passed" : "broker-negotiated");
    assert.equal(ended, 0, "the next clients are served while the first ones still wait");
  };
  await Promise.all([
    ...Array.from({ length: FAILURES_MAX }, bePatient),
    comeNext("auto"),
    comeNext(false),
  ]);

  const last = await broker.events.nth("handoff-fallback", FAILURES_MAX);
  assert.deepEqual({ stage: last.stage, detail: last.detail }, {
    stage: "AwaitAck",
    detail: "no ACK before its deadline",
  });
  const tookMs = performance.now() - start;
  assert.ok(tookMs >= ACK_DEADLINE_MS - 5, `given up after ${tookMs} ms`);
  for (const held of kept) held.close();
  assert.equal(await fdCountAtMost(process.pid, before, WAIT.deadlineMs), before);

  await using later = await broker.connect();
  assert.equal(later.handoffToken, undefined, "8 silent failures pause the handoffs");
  await requireEcho(later.stream, "not handed over");
});
