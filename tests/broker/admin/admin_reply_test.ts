import assert from "node:assert/strict";
import test from "node:test";
import { renderAdminReply } from "../../../src/broker/admin/admin_reply.ts";
import type { AdminSnapshot } from "../../../src/broker/admin/admin_snapshot.ts";
import { AdminReplyKind, AdminVerb } from "../../../src/wire/gen/broker_v1_admin_pb.ts";
import { goldenBackend, RICH_SNAPSHOT } from "./golden_admin.ts";

function ask(verb: number, changes: Partial<AdminSnapshot> = {}, serviceName = "", outputPath = "") {
  const question = { verb, json: true, serviceName, outputPath };
  return renderAdminReply(question, { ...RICH_SNAPSHOT, ...changes }, "metrics text");
}

function askJson(...question: Parameters<typeof ask>) {
  return JSON.parse(ask(...question).body);
}

test("every JSON verb says its command, its schema version and its time", () => {
  const commands: [number, string][] = [
    [AdminVerb.STATUS, "status"],
    [AdminVerb.DUMP, "dump"],
    [AdminVerb.LIST_INSTANCES, "list-instances"],
    [AdminVerb.BACKEND_HEALTH, "backend-health"],
    [AdminVerb.CONFIG, "config"],
    [AdminVerb.DIAGNOSE, "diagnose"],
  ];
  for (const [verb, command] of commands) {
    const reply = ask(verb, { generatedAtUnixMs: 77 });
    assert.equal(reply.kind, AdminReplyKind.JSON);
    assert.equal(reply.contentType, "application/json");
    assert.equal(reply.exitCode, 0);
    const said = JSON.parse(reply.body);
    assert.deepEqual([said.schema_version, said.command, said.generated_at_unix_ms], [1, command, 77]);
  }
});

test("SHUTDOWN and verbs that nobody knows are answered with exit code 2", () => {
  for (const verb of [AdminVerb.UNSPECIFIED, 10, AdminVerb.SHUTDOWN, -1, 0x7fff_ffff]) {
    assert.deepEqual(ask(verb), {
      kind: AdminReplyKind.TEXT,
      contentType: "text/plain",
      exitCode: 2,
      body: "unsupported admin verb\n",
    });
  }
});

test("METRICS passes the metrics text on", () => {
  assert.deepEqual(ask(AdminVerb.METRICS), {
    kind: AdminReplyKind.OPENMETRICS,
    contentType: "application/openmetrics-text",
    exitCode: 0,
    body: "metrics text",
  });
});

test("STATUS writes whole seconds of uptime as a float", () => {
  assert.match(ask(AdminVerb.STATUS, { uptimeMs: 0 }).body, /"uptime_seconds":0\.0}$/);
  assert.match(ask(AdminVerb.STATUS, { uptimeMs: 61_000 }).body, /"uptime_seconds":61\.0}$/);
  assert.match(ask(AdminVerb.STATUS, { uptimeMs: 61_234.5 }).body, /"uptime_seconds":61\.2345}$/);
});

test("STATUS shows pressure on descriptors apart from whether Hellos are accepted", () => {
  const said = askJson(AdminVerb.STATUS, { fdPressureDemoted: true, acceptingHello: true });
  assert.deepEqual([said.fd_pressure, said.accepting_hello], [{ demoted: true }, true]);
});

test("STATUS shows inode figures only when there are some", () => {
  const inodes = (inodePressure: AdminSnapshot["inodePressure"]) =>
    askJson(AdminVerb.STATUS, { inodePressure }).inode_pressure;
  assert.deepEqual(inodes({ supported: true, inodesTotal: 1000n, inodesFree: 900n }), {
    supported: true,
    inodes_total: 1000,
    inodes_free: 900,
    inodes_used: 100,
    used_ratio: 0.1,
  });
  assert.deepEqual(inodes({ supported: false, detail: "no inode table" }), {
    supported: false,
    detail: "no inode table",
  });
});

test("STATUS survives inode figures that make no sense", () => {
  const body = (inodesTotal: bigint, inodesFree: bigint) =>
    ask(AdminVerb.STATUS, { inodePressure: { supported: true, inodesTotal, inodesFree } }).body;
  assert.match(body(0n, 0n), /"inodes_used":0,"supported":true,"used_ratio":0\.0}/);
  assert.match(body(5n, 7n), /"inodes_used":0,"supported":true,"used_ratio":0\.0}/);
  const most = 2n ** 64n - 1n;
  assert.match(body(most, 0n), /"inodes_total":18446744073709551615,"inodes_used":18446744073709551615,/);
});

test("BACKEND_HEALTH shows one service, with its last Hello and error", () => {
  const backends = [
    goldenBackend({ lastError: "probe timed out", lastHelloUnixMs: 1_700_000_000_123n }),
    goldenBackend({ serviceName: "unknown", pid: 43 }),
  ];
  const said = askJson(AdminVerb.BACKEND_HEALTH, { backends }, "zccache");
  assert.equal(said.service_name, "zccache");
  assert.deepEqual(said.backends, [{
    last_error: "probe timed out",
    last_hello_unix_ms: 1_700_000_000_123,
    pid: 42,
    service_version: "1.2.3",
    state: "running",
  }]);
  assert.deepEqual(askJson(AdminVerb.BACKEND_HEALTH, { backends }, "other-svc").backends, []);
  assert.deepEqual(
    askJson(AdminVerb.BACKEND_HEALTH, { backends }).backends.map((row: { pid: number }) => row.pid),
    [
      43,
    ],
  );
});

test("DUMP shows a used-up spawn budget and lifecycle events, and CONFIG's values", () => {
  const changes: Partial<AdminSnapshot> = {
    spawnBudgets: [{ ...RICH_SNAPSHOT.spawnBudgets[0]!, attemptsUsed: 3, remaining: 0, retryAfterMs: 1500 }, {
      ...RICH_SNAPSHOT.spawnBudgets[0]!,
      retryAfterMs: null,
    }],
    recentLifecycleEvents: [{ ts_ms: 5, kind: "SPAWN", extra: {} }],
  };
  const said = askJson(AdminVerb.DUMP, changes);
  assert.deepEqual(said.spawn_budgets[0].attempts_used, 3);
  assert.deepEqual(said.spawn_budgets.map((row: { retry_after_ms: number | null }) => row.retry_after_ms), [
    1500,
    null,
  ]);
  assert.deepEqual(said.recent_lifecycle_events, [{ ts_ms: 5, kind: "SPAWN", extra: {} }]);
  assert.deepEqual(said.effective_config, askJson(AdminVerb.CONFIG, changes).values);
  assert.equal(said.effective_config.spawn_budget.active_budget_rows.value, 2);
});

test("CONFIG says where the folder of service definitions comes from", () => {
  const source = "env:RUNNING_PROCESS_SERVICE_DEF_DIR";
  const said = askJson(AdminVerb.CONFIG, { serviceDefinitionDir: { path: "/srv/defs", source } });
  assert.deepEqual(said.values.paths.service_definition_dir, { source, value: "/srv/defs" });
});

test("DIAGNOSE says so when a bundle was written", () => {
  const changes = { diagnoseBundle: { created: true, mode: "archive" } };
  const said = askJson(AdminVerb.DIAGNOSE, changes, "", "/tmp/x.tgz");
  assert.deepEqual([said.bundle.created, said.bundle.mode, said.output], [true, "archive", "/tmp/x.tgz"]);
  assert.deepEqual(said.files, said.bundle.entries.map((entry: { path: string }) => entry.path));
  assert.equal(askJson(AdminVerb.CONFIG, changes).values.diagnostics.bundle_mode.value, "archive");
});
