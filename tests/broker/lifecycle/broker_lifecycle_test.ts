import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import {
  AdminVerb,
  type BrokerEvent,
  sendAdminRequest,
  serveBackend,
  type ServeBackendOptions,
  serveBroker,
  type ServeBrokerOptions,
} from "../../../mod.ts";
import { writeServiceDefinition } from "../../../src/service/service_definition_file.ts";
import { makeTempDir } from "../../support/temp_dir.ts";
import { within } from "../../support/waiting.ts";
import { ownDefinition } from "../_probed_backend.ts";

/** A broker in front of a backend, both in this process. */
async function startLab(
  options: { broker?: Partial<ServeBrokerOptions>; backend?: Partial<ServeBackendOptions> } = {},
) {
  const dir = await makeTempDir();
  const place = { service: "svc", version: "1.2.3", endpoint: dir.join("be.sock") };
  const backend = await serveBackend({ ...place, namespace: "shared", ...options.backend });
  await writeServiceDefinition(dir.join("defs"), ownDefinition());
  const events: BrokerEvent[] = [];
  const broker = await serveBroker({
    endpoint: dir.join("br.sock"),
    serviceDefinitionDir: dir.join("defs"),
    backend: place,
    observe: (event) => void events.push(event),
    lifecycleLog: dir.join("events", "lifecycle.jsonl"),
    ...options.broker,
  });
  return {
    dir,
    backend,
    broker,
    events,
    log: () =>
      readFileSync(dir.join("events", "lifecycle.jsonl"), "utf8").trimEnd().split("\n").map((line) =>
        JSON.parse(line)
      ),
    async [Symbol.asyncDispose]() {
      await broker.close();
      await backend.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const KEY = { instanceId: "shared", service: "svc", version: "1.2.3" };

test("an order reaches the backend through its broker, and is told and noted", async () => {
  const released: string[] = [];
  const onReleaseHandles = (path: string) => void released.push(path);
  await using lab = await startLab({ backend: { onReleaseHandles } });
  const order = { kind: "ReleaseHandles", pathPrefix: "/srv/cache" } as const;
  const report = await lab.broker.broadcast(order);
  const acks = [{ backend: KEY, connectionsOpen: 0 }];
  assert.deepEqual(report, { order, acks, timeouts: [], failures: [], skippedDead: [] });
  assert.deepEqual(released, ["/srv/cache"]);
  const counts = { acks: 1, timeouts: 0, failures: 0, skippedDead: 0 };
  assert.deepEqual(lab.events.at(-1), { kind: "broadcast", order: "ReleaseHandles", ...counts });
  assert.equal(lab.log().at(-1).kind, "BROADCAST_ACK");
});

test("a backend that declines stays, and one that ends on an order gets no clients any more", async () => {
  await using lab = await startLab();
  const backends = async () => {
    const { body } = await sendAdminRequest(lab.broker.endpoint, { verb: AdminVerb.STATUS, json: true });
    return JSON.parse(body).backends.length;
  };
  const declined = await lab.broker.broadcast({ kind: "ReleaseHandles", pathPrefix: "/srv/cache" });
  assert.deepEqual(declined.failures.map(({ reason }) => reason), ["Rejected"]);
  assert.equal(await backends(), 1);
  const iteration = lab.backend[Symbol.asyncIterator]().next();
  const report = await lab.broker.broadcast({ kind: "Quiesce", reason: "Maintenance" });
  assert.deepEqual(report.acks, [{ backend: KEY, connectionsOpen: 0 }]);
  assert.equal(await backends(), 0);
  assert.equal((await within("the end", iteration)).done, true);
});

test("a broadcast has a deadline and a signal of its own", async () => {
  await using lab = await startLab({ backend: { onReleaseHandles: () => new Promise(() => {}) } });
  const order = { kind: "ReleaseHandles", pathPrefix: "/srv/cache" } as const;
  const report = await lab.broker.broadcast(order, { ackDeadlineMs: 20 });
  assert.deepEqual(report.timeouts, [{ backend: KEY, deadlineMs: 20 }]);
  const controller = new AbortController();
  const broadcasting = lab.broker.broadcast(order, { signal: controller.signal });
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(within("the end", broadcasting), (error) => error === reason);
});

test("the life of a broker is in its log from start to stop, and in DUMP meanwhile", async () => {
  await using lab = await startLab();
  const { body } = await sendAdminRequest(lab.broker.endpoint, { verb: AdminVerb.DUMP });
  const recent = JSON.parse(body).recent_lifecycle_events;
  assert.deepEqual(recent, lab.log());
  const { pid, reason, broker_instance } = recent[0];
  assert.deepEqual([recent.length, pid, reason, broker_instance], [
    1,
    process.pid,
    "broker started",
    "shared",
  ]);
  await lab.broker.close();
  await lab.broker.closed;
  assert.deepEqual(lab.log().map((line) => line.reason), ["broker started", "broker stopped"]);
});

test("a log that cannot be written is told once, and the broker serves", async () => {
  await using dir = await makeTempDir();
  writeFileSync(dir.join("file"), "");
  const lifecycleLog = dir.join("file", "lifecycle.jsonl");
  await using lab = await startLab({ broker: { lifecycleLog } });
  await lab.broker.broadcast({ kind: "ReleaseHandles", pathPrefix: "/srv/cache" });
  const failures = lab.events.filter(({ kind }) => kind === "lifecycle-log-failed");
  assert.deepEqual(failures.map((event) => "path" in event && event.path), [lifecycleLog]);
  const { body } = await sendAdminRequest(lab.broker.endpoint, { verb: AdminVerb.HEALTHZ });
  assert.equal(body, "ok\n");
});

test("without a file nothing is written, and DUMP has the events all the same", async () => {
  await using lab = await startLab({ broker: { lifecycleLog: undefined } });
  const { body } = await sendAdminRequest(lab.broker.endpoint, { verb: AdminVerb.DUMP });
  assert.equal(JSON.parse(body).recent_lifecycle_events.length, 1);
  assert.throws(() => lab.log(), /ENOENT/);
});
