import assert from "node:assert/strict";
import test from "node:test";
import type { BrokerEvent } from "../../../src/broker/broker_event.ts";
import { LifecycleLog, RECENT_EVENTS_MAX } from "../../../src/broker/lifecycle/lifecycle_log.ts";
import { lifecycleLogPath } from "../../../src/naming/lifecycle_log_path.ts";

const CONTEXT = { unixMs: 5, brokerPid: 77, brokerInstance: "shared" };
const launched = (pid: number): BrokerEvent => ({
  kind: "backend-launched",
  service: "svc",
  version: "1.2.3",
  pid,
  durationUs: 1,
});

/** A log into memory; `failure` may make every write fail. */
function open() {
  const lines: string[] = [];
  const failures: string[] = [];
  const state: { failure?: Error } = {};
  const log = new LifecycleLog({
    context: () => CONTEXT,
    append(line) {
      if (state.failure !== undefined) throw state.failure;
      lines.push(new TextDecoder().decode(line));
    },
    failed: (detail) => void failures.push(detail),
  });
  return { log, lines, failures, state };
}

test("events of backends and the broker's end are appended, others are not", () => {
  const { log, lines } = open();
  log.take(launched(1));
  log.take({ kind: "admin", peer: { pid: 1, uid: 1, gid: 1 }, verb: 1 });
  log.stopped();
  assert.deepEqual(lines.map((line) => JSON.parse(line).reason), ["launched", "broker stopped"]);
  assert.ok(lines.every((line) => line.endsWith("\n")));
});

test("the last 64 events are kept for operators, oldest first", () => {
  const { log, lines } = open();
  assert.equal(RECENT_EVENTS_MAX, 64);
  for (let pid = 1; pid <= 70; pid++) log.take(launched(pid));
  assert.deepEqual(log.recent().map(({ pid }) => pid), Array.from({ length: 64 }, (_, index) => index + 7));
  assert.equal(lines.length, 70);
});

test("a reason that is too long is cut for operators as in the file", () => {
  const { log, lines } = open();
  const detail = "x".repeat(5_000);
  log.take({ kind: "backend-launch-failed", service: "svc", version: "1.2.3", detail, durationUs: 1 });
  assert.equal(lines[0]!.length, 510);
  assert.equal(log.recent()[0]!["reason"], JSON.parse(lines[0]!).reason);
});

test("a file that cannot be written is told once, keeps nobody from going on, and is tried again", () => {
  const { log, lines, failures, state } = open();
  state.failure = new Error("no room");
  for (const pid of [1, 2, 3]) log.take(launched(pid));
  assert.deepEqual(failures, ["no room"]);
  assert.equal(log.recent().length, 3);
  delete state.failure;
  log.take(launched(4));
  assert.equal(lines.length, 1);
});

test("without a file events are kept in memory only", () => {
  const failed = () => assert.fail("nothing can fail");
  const log = new LifecycleLog({ context: () => CONTEXT, append: undefined, failed });
  log.take(launched(1));
  assert.equal(log.recent().length, 1);
});

test("brokers on the command line log into the daemon's data", () => {
  const host = { platform: "linux", uid: 1000, home: "/home/me" } as const;
  assert.equal(
    lifecycleLogPath({ ...host, environment: {} }),
    "/home/me/.local/state/running-process/events/lifecycle.jsonl",
  );
  const environment = { XDG_STATE_HOME: "/state" };
  assert.equal(
    lifecycleLogPath({ ...host, environment }),
    "/state/running-process/events/lifecycle.jsonl",
  );
});
