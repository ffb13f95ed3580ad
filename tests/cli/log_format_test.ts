import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerEvent } from "../../src/broker/broker_event.ts";
import { UsageError } from "../../src/cli/command_line.ts";
import { formatEvent, formatFailure, logFormatOf } from "../../src/cli/log_format.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { runCli } from "./_run_cli.ts";

const AT_MS = Date.UTC(2026, 10, 21, 9, 8, 7, 65);
const PEER = { pid: 7, uid: 1000, gid: 100 };
const FALLBACK: BrokerEvent = {
  kind: "handoff-fallback",
  connectionId: 2n ** 63n,
  stage: "AwaitAck",
  reason: "BackendAckTimeout",
  detail: 'no "ACK"\nbefore its deadline',
  durationUs: 9,
};

test("a log is text unless the environment asks for JSON, and nothing else can be asked for", () => {
  assert.deepEqual(
    [{}, { RP_BROKER_LOG_FORMAT: "" }, { RP_BROKER_LOG_FORMAT: "text" }, { RP_BROKER_LOG_FORMAT: "json" }]
      .map(logFormatOf),
    ["text", "text", "text", "json"],
  );
  for (const value of ["JSON", "yaml", " json"]) {
    assert.throws(() => logFormatOf({ RP_BROKER_LOG_FORMAT: value }), (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.message, `RP_BROKER_LOG_FORMAT must be "text" or "json", seen "${value}"`);
      return true;
    });
  }
});

test("in JSON an event is one line: time, level, kind, the words, and its fields; 64-bit numbers are strings", () => {
  const line = formatEvent("json", FALLBACK, "/run/br.sock", AT_MS);
  assert.ok(line !== undefined && !line.includes("\n"));
  assert.deepEqual(JSON.parse(line), {
    ts: "2026-11-21T09:08:07.065Z",
    level: "warn",
    event: "handoff-fallback",
    message: 'handoff fallback: connection 9223372036854775808 at AwaitAck: no "ACK"\nbefore its deadline',
    endpoint: "/run/br.sock",
    connectionId: "9223372036854775808",
    stage: "AwaitAck",
    reason: "BackendAckTimeout",
    detail: 'no "ACK"\nbefore its deadline',
    durationUs: 9,
  });
});

test("what keeps somebody from being served is a warning, the rest is not", () => {
  const levels: [BrokerEvent, string][] = [
    [{ kind: "listening", endpoint: "/e" }, "info"],
    [{ kind: "peer-dropped", peer: PEER }, "warn"],
    [{ kind: "fd-pressure", isDemoted: true, detail: "" }, "warn"],
    [{ kind: "fd-pressure", isDemoted: false, detail: "" }, "info"],
    [{ kind: "draining", connectionsOpen: 0, deadlineMs: 1 }, "info"],
  ];
  for (const [event, level] of levels) {
    assert.equal(JSON.parse(formatEvent("json", event, "/e", AT_MS)!).level, level, event.kind);
  }
});

test("what happens all the time is in neither format", () => {
  const event: BrokerEvent = { kind: "admin", peer: PEER, verb: 1 };
  for (const format of ["text", "json"] as const) {
    assert.equal(formatEvent(format, event, "/e", AT_MS), undefined);
  }
});

test("in text an event and a failure are what they always were", () => {
  assert.equal(
    formatEvent("text", { kind: "listening", endpoint: "/e" }, "/e", AT_MS),
    "running-process-broker-v1: serving /e",
  );
  assert.equal(
    formatFailure("text", "serve failed: no", "/e", AT_MS),
    "running-process-broker-v1: serve failed: no",
  );
});

test("a broker that cannot start says so in the format that was asked for, and asks for a format it knows", async () => {
  await using dir = await makeTempDir();
  const args = ["--serve-launch", dir.join("a".repeat(120)), "--service-def-dir", dir.path];
  const failed = await runCli(args, { RP_BROKER_LOG_FORMAT: "json" });
  const { level, event, message, ts } = JSON.parse(failed.stderr);
  assert.deepEqual([failed.code, level, event], [1, "error", "failed"]);
  assert.match(message, /^serve failed: .*choose a shorter directory/);
  assert.ok(Math.abs(Date.now() - Date.parse(ts)) < 600_000);

  const refused = await runCli(args, { RP_BROKER_LOG_FORMAT: "xml" });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /RP_BROKER_LOG_FORMAT must be "text" or "json", seen "xml"/);
});
