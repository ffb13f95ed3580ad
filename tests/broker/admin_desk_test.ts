import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { AdminDesk, type AdminDeskParts } from "../../src/broker/admin_desk.ts";
import { BackendRegistry, type RegisteredBackend } from "../../src/broker/backend_registry.ts";
import { BrokerMetrics } from "../../src/broker/broker_metrics.ts";
import { AdminRequestSchema, AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { registeredBackend } from "./_hello_values.ts";

function desk(parts: Partial<AdminDeskParts> = {}): AdminDesk {
  return new AdminDesk({
    brokerInstance: "shared",
    definitions: { path: "/defs", source: "platform-default" } as unknown as AdminDeskParts["definitions"],
    registry: new BackendRegistry(() => true),
    clock: () => 0,
    startMs: 0,
    connectionsOpen: () => 0,
    isAcceptingHello: () => true,
    metrics: new BrokerMetrics(),
    spawnBudgets: () => [],
    lifecycleEvents: () => [],
    ...parts,
  });
}

async function ask(desk: AdminDesk, verb: AdminVerb, fields: { json?: boolean; serviceName?: string } = {}) {
  return await desk.answer(create(AdminRequestSchema, { verb, ...fields }));
}

async function askJson(desk: AdminDesk, verb: AdminVerb, serviceName = "") {
  return JSON.parse((await ask(desk, verb, { json: true, serviceName })).body);
}

test("HEALTHZ is ok; READYZ says whether Hellos are answered", async () => {
  let isAcceptingHello = true;
  const one = desk({ isAcceptingHello: () => isAcceptingHello });
  const alive = await ask(one, AdminVerb.HEALTHZ);
  assert.deepEqual([alive.body, alive.exitCode], ["ok\n", 0]);
  assert.equal((await ask(one, AdminVerb.READYZ)).exitCode, 0);
  isAcceptingHello = false;
  assert.equal((await ask(one, AdminVerb.READYZ)).exitCode, 1);
  assert.equal((await ask(one, AdminVerb.HEALTHZ)).exitCode, 0);
});

test("STATUS is of this broker at this moment", async () => {
  let nowMs = 5_000;
  let connectionsOpen = 3;
  const one = desk({
    brokerInstance: "private:svc",
    clock: () => nowMs,
    startMs: 2_000,
    connectionsOpen: () => connectionsOpen,
  });
  const first = await askJson(one, AdminVerb.STATUS);
  assert.deepEqual(
    [first.broker_instance, first.broker_pid, first.uptime_seconds, first.connections_open],
    ["private:svc", process.pid, 3, 3],
  );
  assert.equal(first.accepting_hello, true);
  nowMs = 9_500;
  connectionsOpen = 41;
  const later = await askJson(one, AdminVerb.STATUS);
  assert.deepEqual([later.uptime_seconds, later.connections_open], [7.5, 41]);
});

test("DUMP lists backends, running and stale ones apart", async () => {
  const dead = new Set<RegisteredBackend>();
  const registry = new BackendRegistry((backend) => !dead.has(backend));
  const other = registeredBackend({ key: { instanceId: "shared", service: "other", version: "2.0.0" } });
  registry.insert(registeredBackend({ backendPipe: "/run/one.sock" }));
  registry.insert(other);
  dead.add(other);
  const { backend_table: rows } = await askJson(desk({ registry }), AdminVerb.DUMP);
  assert.deepEqual(rows, [
    {
      backend_pipe: "/run/one.sock",
      pid: 4242,
      service_name: "my-daemon",
      service_version: "1.2.3",
      state: "running",
    },
    {
      backend_pipe: "/run/be.sock",
      pid: 4242,
      service_name: "other",
      service_version: "2.0.0",
      state: "stale",
    },
  ]);
});

test("SHUTDOWN is answered in words and stops the broker in the time that was given, or the usual one", async () => {
  const drains: number[] = [];
  const one = desk({ shutDown: (drainDeadlineMs) => void drains.push(drainDeadlineMs) });
  for (const drainDeadlineMs of [0n, 250n, 1n << 63n]) {
    const answer = await one.answer(
      create(AdminRequestSchema, { verb: AdminVerb.SHUTDOWN, drainDeadlineMs }),
    );
    assert.deepEqual([answer.body, answer.exitCode], ["broker shutting down\n", 0]);
  }
  assert.deepEqual(drains, [10_000, 250, 3_600_000]);
  assert.equal((await ask(desk(), AdminVerb.SHUTDOWN)).exitCode, 2, "nobody there to stop");
});

test("STATUS and METRICS show descriptors: how many are used, and that they ran out", async () => {
  let isDemoted = true;
  const one = desk({ fdUsageRatio: () => 0.5, isFdPressureDemoted: () => isDemoted });
  assert.deepEqual((await askJson(one, AdminVerb.STATUS)).fd_pressure, { demoted: true });
  assert.match((await ask(one, AdminVerb.METRICS)).body, /^running_process_broker_v1_fd_usage_ratio 0\.5$/m);
  isDemoted = false;
  assert.deepEqual((await askJson(one, AdminVerb.STATUS)).fd_pressure, { demoted: false });
});

test("a backend was last active when it started, as far as is known", async () => {
  const registry = new BackendRegistry(() => true);
  registry.insert(registeredBackend());
  const { backends: [row] } = await askJson(desk({ registry }), AdminVerb.STATUS);
  assert.equal(row.last_active_unix_ms, 1_700_000_000_000);
});

test("BACKEND_HEALTH finds the backends of a service only", async () => {
  const registry = new BackendRegistry(() => true);
  registry.insert(registeredBackend());
  const one = desk({ registry });
  const found = await askJson(one, AdminVerb.BACKEND_HEALTH, "my-daemon");
  assert.deepEqual(found.backends.map(({ pid }: { pid: number }) => pid), [4242]);
  assert.deepEqual((await askJson(one, AdminVerb.BACKEND_HEALTH, "nobody")).backends, []);
});

test("METRICS counts running backends per service, and shows the launches that are left", async () => {
  const dead = new Set<RegisteredBackend>();
  const registry = new BackendRegistry((backend) => !dead.has(backend));
  for (const version of ["1.0.0", "2.0.0", "3.0.0"]) {
    const key = { instanceId: "shared", service: "svc", version };
    const backend = registeredBackend({ key });
    registry.insert(backend);
    if (version === "3.0.0") dead.add(backend);
  }
  const budget = { serviceName: "svc", serviceVersion: "1.0.0", remaining: 4 };
  const one = desk({ registry, spawnBudgets: () => [budget as never] });
  const { body } = await ask(one, AdminVerb.METRICS);
  assert.ok(body.includes('active_backends{service="svc"} 2'), body);
  assert.ok(body.includes('spawn_budget_remaining{service="svc",version="1.0.0"} 4'), body);
});

test("CONFIG names the directory of definitions, and a verb that is none is answered in words", async () => {
  const text = JSON.stringify(await askJson(desk(), AdminVerb.CONFIG));
  assert.ok(text.includes("/defs"), text);
  const unknown = await desk().answer(create(AdminRequestSchema, { verb: 99 as AdminVerb }));
  assert.equal(unknown.exitCode, 2);
  assert.notEqual(unknown.body, "");
});
