import assert from "node:assert/strict";
import test from "node:test";
import { broadcastOrder, emptyBroadcast } from "../../../src/broker/lifecycle/broadcast.ts";
import {
  ORDER_DEADLINE_MS_DEFAULT,
  type OrderOutcome,
  type SendOrder,
} from "../../../src/broker/lifecycle/order_outcome.ts";
import type { RegisteredBackend } from "../../../src/broker/backend_registry.ts";
import { CancelSource } from "../../../src/cancel_signal.ts";
import type { BackendOrder } from "../../../src/wire/backend_order.ts";
import { deferred, within } from "../../support/waiting.ts";
import { backendOf } from "../_backends.ts";

const RELEASE: BackendOrder = { kind: "ReleaseHandles", pathPrefix: "/srv/cache" };
const ACK: OrderOutcome = { kind: "answered", answer: { accepted: true, detail: "", connectionsOpen: 0 } };

const [one, two, three] = ["one", "two", "three"].map((service) => backendOf({ service }));
const backends = [one!, two!, three!];
const services = (rows: readonly { backend: { service: string } }[]) =>
  rows.map(({ backend }) => backend.service);

/** Answers by service; what is not named is an ACK. */
function sender(outcomes: Record<string, OrderOutcome | Error> = {}) {
  const sent: { service: string; order: BackendOrder; deadlineMs: number }[] = [];
  const send: SendOrder = (backend, order, { deadlineMs }) => {
    const { service } = backend.key;
    sent.push({ service, order, deadlineMs });
    const outcome = outcomes[service] ?? ACK;
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  };
  return { sent, send };
}

test("an order reaches all live backends, each of which acknowledges it", async () => {
  const { sent, send } = sender();
  const report = await broadcastOrder({ backends, isAlive: () => true, send }, RELEASE);
  assert.deepEqual(sent.map(({ service, order }) => [service, order]), [
    ["one", RELEASE],
    ["two", RELEASE],
    ["three", RELEASE],
  ]);
  assert.deepEqual(report.acks, backends.map(({ key }) => ({ backend: key, connectionsOpen: 0 })));
  assert.deepEqual([report.timeouts, report.failures, report.skippedDead], [[], [], []]);
  assert.deepEqual(report.order, RELEASE);
});

test("a dead backend is skipped, and a slow one reported with the deadline it had", async () => {
  const { sent, send } = sender({ two: { kind: "timeout" } });
  const isAlive = (backend: RegisteredBackend) => backend !== one;
  const report = await broadcastOrder({ backends, isAlive, send }, RELEASE, { ackDeadlineMs: 250 });
  assert.deepEqual(sent.map(({ service, deadlineMs }) => [service, deadlineMs]), [["two", 250], [
    "three",
    250,
  ]]);
  assert.deepEqual(report.skippedDead, [one!.key]);
  assert.deepEqual(report.timeouts, [{ backend: two!.key, deadlineMs: 250 }]);
  assert.deepEqual(services(report.acks), ["three"]);
});

test("a backend that fails, in whatever way, does not keep the others from the order", async () => {
  const declined = { accepted: false, detail: "busy", connectionsOpen: 2 };
  const cases: [OrderOutcome | Error, string, string][] = [
    [{ kind: "answered", answer: declined }, "Rejected", "busy"],
    [{ kind: "not-understood", detail: "hung up" }, "UnsupportedOperation", "hung up"],
    [{ kind: "unreachable", detail: "nobody" }, "BackendError", "nobody"],
    [{ kind: "failed", detail: "another process" }, "BackendError", "another process"],
    [new Error("out of descriptors"), "BackendError", "out of descriptors"],
  ];
  for (const [outcome, reason, detail] of cases) {
    const { send } = sender({ one: outcome });
    const report = await broadcastOrder({ backends, isAlive: () => true, send }, RELEASE);
    assert.deepEqual(report.failures, [{ backend: one!.key, reason, detail }]);
    assert.deepEqual(services(report.acks), ["two", "three"]);
  }
});

test("Quiesce goes the same way and has the same report, with the connections left to finish", async () => {
  const order: BackendOrder = { kind: "Quiesce", reason: "BrokerShutdown" };
  const answer = { accepted: true, detail: "", connectionsOpen: 7 };
  const { sent, send } = sender({ two: { kind: "answered", answer } });
  const report = await broadcastOrder({ backends, isAlive: () => true, send }, order);
  assert.ok(sent.every((one) => one.order === order));
  assert.deepEqual(report.acks.map(({ connectionsOpen }) => connectionsOpen), [0, 7, 0]);
  assert.deepEqual({ ...report, acks: [] }, emptyBroadcast(order));
});

test("a backend has 5 s to answer by default, and 0 becomes 1 ms", async () => {
  assert.equal(ORDER_DEADLINE_MS_DEFAULT, 5_000);
  const deadlines: number[] = [];
  for (const options of [{}, { ackDeadlineMs: 0 }]) {
    const { sent, send } = sender();
    await broadcastOrder({ backends: [one!], isAlive: () => true, send }, RELEASE, options);
    deadlines.push(sent[0]!.deadlineMs);
  }
  assert.deepEqual(deadlines, [5_000, 1]);
});

test("all backends are asked at once: a slow one delays nobody", async () => {
  const [slow, lastAsked] = [deferred<OrderOutcome>(), deferred<void>()];
  const send: SendOrder = (backend) => {
    if (backend === three) lastAsked.resolve();
    return backend === one ? slow.promise : Promise.resolve(ACK);
  };
  const broadcasting = broadcastOrder({ backends, isAlive: () => true, send }, RELEASE);
  await within("the last backend's turn", lastAsked.promise);
  slow.resolve({ kind: "timeout" });
  assert.deepEqual(services((await broadcasting).acks), ["two", "three"]);
});

test("a signal ends a broadcast with its reason, and one that has fired lets nothing begin", async () => {
  const [signal, reason] = [new CancelSource(), new Error("enough")];
  const { sent, send } = sender({ two: reason });
  signal.abort(reason);
  const isReason = (error: unknown) => error === reason;
  const parts = { backends, isAlive: () => true, send };
  await assert.rejects(broadcastOrder(parts, RELEASE, { signal }), isReason);
  assert.equal(sent.length, 0);
  const later = new CancelSource();
  const broadcasting = broadcastOrder(parts, RELEASE, { signal: later });
  later.abort(reason);
  await assert.rejects(broadcasting, isReason);
});
