import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { BackendLiveness } from "../../src/broker/backend_liveness.ts";
import { BackendRegistry } from "../../src/broker/backend_registry.ts";
import type { BrokerEvent } from "../../src/broker/broker_event.ts";
import { type BackendRegistration, RegisteredService } from "../../src/broker/registered_service.ts";
import { CancelSource } from "../../src/cancel_signal.ts";
import { BrokerError } from "../../src/errors.ts";
import { transport } from "../transport/_transport.ts";
import { helloFrame } from "./_hello_values.ts";
import { answerProbes, hasher, ownDefinition, ownIdentity, type ProbedBackend } from "./_probed_backend.ts";

/** Looks processes up each time. */
const liveness = new BackendLiveness({ watchProcess: () => undefined });
const KEY = { instanceId: "shared", service: "svc", version: "1.2.3" };

function serviceOf(backend: ProbedBackend, registration: Partial<BackendRegistration> = {}) {
  const registry = new BackendRegistry(({ process }) => liveness.isAlive(process));
  const events: BrokerEvent[] = [];
  const service = new RegisteredService({
    transport,
    hasher,
    registry,
    signal: new CancelSource(),
    observe: (event) => void events.push(event),
    registration: { service: "svc", version: "1.2.3", endpoint: backend.endpoint, ...registration },
  });
  const obtain = (key = KEY) => service.obtain({ key, definition: ownDefinition(), frame: helloFrame() });
  return { service, registry, events, obtain };
}

test("it covers its service and version, in whatever instance, and nothing else", async () => {
  await using backend = await answerProbes();
  const { service } = serviceOf(backend);
  assert.equal(service.covers(KEY), true);
  assert.equal(service.covers({ ...KEY, instanceId: "private:svc" }), true);
  assert.equal(service.covers({ ...KEY, service: "other" }), false);
  assert.equal(service.covers({ ...KEY, version: "1.2.3-rc.1" }), false);
});

test("verify() gives the backend as it is registered", async () => {
  await using backend = await answerProbes();
  const { service } = serviceOf(backend, { handoffEndpoint: "/run/ho.sock" });
  const found = await service.verify(KEY, ownDefinition());
  assert.deepEqual(
    [found.key, found.daemonVersion, found.backendPipe, found.serverCapabilities, found.handoffEndpoint],
    [KEY, "1.2.3", backend.endpoint, 0n, "/run/ho.sock"],
  );
  assert.equal(found.identity.pid, process.pid);
  assert.equal(found.process.pid, process.pid);
  assert.equal(liveness.isAlive(found.process), true);
});

test("callers that come while a probe is under way share it; the next one makes its own", async () => {
  await using backend = await answerProbes();
  const { service } = serviceOf(backend);
  const found = await Promise.all(Array.from({ length: 8 }, () => service.verify(KEY, ownDefinition())));
  assert.equal(backend.probes, 1);
  for (const one of found) assert.equal(one, found[0]);
  await service.verify(KEY, ownDefinition());
  assert.equal(backend.probes, 2);
});

test("callers of another instance do not share a probe: it would prove the wrong namespace", async () => {
  await using backend = await answerProbes();
  const { service } = serviceOf(backend);
  const other = { ...KEY, instanceId: "private:svc" };
  const [right, wrong] = await Promise.allSettled([
    service.verify(KEY, ownDefinition()),
    service.verify(other, ownDefinition()),
  ]);
  assert.deepEqual([right.status, wrong.status, backend.probes], ["fulfilled", "rejected", 2]);
});

test("a failure is shared by those who wait, and forgotten: the next caller tries again", async () => {
  await using backend = await answerProbes({ exePath: "/other" });
  const { service } = serviceOf(backend);
  const outcomes = await Promise.allSettled([
    service.verify(KEY, ownDefinition()),
    service.verify(KEY, ownDefinition()),
  ]);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === "rejected" && BrokerError.is(outcome.reason));
    assert.equal(outcome.reason.code, "peer-rejected");
  }
  assert.equal(backend.probes, 1);
  backend.identity = ownIdentity(backend.endpoint);
  await service.verify(KEY, ownDefinition());
  assert.equal(backend.probes, 2);
});

test("obtain() registers what it verified and says so", async () => {
  await using backend = await answerProbes();
  const { obtain, registry, events } = serviceOf(backend);
  const found = await obtain();
  assert.ok(found.kind === "backend");
  assert.equal(registry.find(KEY).backend, found.backend);
  const { service, version } = KEY;
  assert.deepEqual(events, [{ kind: "backend-verified", service, version, pid: process.pid }]);
});

test("obtain() refuses a key that is not registered without asking anybody", async () => {
  await using backend = await answerProbes();
  const { obtain, registry, events } = serviceOf(backend);
  const found = await obtain({ ...KEY, version: "1.2.4" });
  assert.ok(found.kind === "refused");
  assert.deepEqual(found.refusal, { code: 3, reason: "backend is not registered", retryAfterMs: 1_000n });
  assert.deepEqual([backend.probes, events.length, registry.list().length], [0, 0, 0]);
});

test("obtain() refuses an impostor in the same words, and tells the operator why", async () => {
  await using backend = await answerProbes({ exePath: "/other" });
  const { obtain, registry, events } = serviceOf(backend);
  const found = await obtain();
  assert.ok(found.kind === "refused");
  assert.equal(found.refusal.reason, "backend is not registered");
  assert.equal(registry.list().length, 0);
  assert.equal(events.length, 1);
  const [event] = events;
  assert.ok(event?.kind === "backend-rejected");
  assert.match(event.detail, /daemon executable path mismatch/);
});

test("the announced identity is read for each verification, so a restarted backend can announce itself", async () => {
  await using backend = await answerProbes();
  let announced = ownIdentity(backend.endpoint, { pid: 77 });
  let reads = 0;
  const announcedIdentity = () => (reads++, Promise.resolve(announced));
  const { service } = serviceOf(backend, { announcedIdentity });
  await assert.rejects(service.verify(KEY, ownDefinition()), /its pid is not the one that was announced/);
  announced = ownIdentity(backend.endpoint);
  await service.verify(KEY, ownDefinition());
  assert.equal(reads, 2);
});

test("an announcement that cannot be read is a rejection, without a probe", async () => {
  await using backend = await answerProbes();
  const announcedIdentity = () => Promise.reject(new BrokerError("config", "no such file"));
  const { obtain, events } = serviceOf(backend, { announcedIdentity });
  assert.equal((await obtain()).kind, "refused");
  assert.equal(backend.probes, 0);
  assert.equal(events[0]?.kind, "backend-rejected");
});
