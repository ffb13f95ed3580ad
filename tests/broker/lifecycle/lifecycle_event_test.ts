import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { BrokerEvent } from "../../../src/broker/broker_event.ts";
import { brokerStopped, lifecycleEvent } from "../../../src/broker/lifecycle/lifecycle_event.ts";
import {
  fitLifecycleEvent,
  LIFECYCLE_LINE_BYTES_MAX,
  lifecycleJson,
  lifecycleLine,
} from "../../../src/broker/lifecycle/lifecycle_line.ts";
import { LifecycleEventSchema } from "../../../src/wire/gen/broker_v1_manifest_pb.ts";
import { encodeMessage } from "../../../src/wire/strict_decode.ts";

const CONTEXT = { unixMs: 1_790_000_000_123.75, brokerPid: 77, brokerInstance: "launch" };
const BACKEND = { service: "svc", version: "1.2.3" };
const text = (event: BrokerEvent) => new TextDecoder().decode(lifecycleLine(lifecycleEvent(event, CONTEXT)!));

test("a launch is a line of JSON with the names of the message", () => {
  assert.equal(
    text({ kind: "backend-launched", ...BACKEND, pid: 42, durationUs: 9 }),
    '{"broker_instance":"launch","extra":{"broker_pid":"77","event":"backend-launched","version":"1.2.3"},' +
      '"kind":"SPAWN","pid":42,"reason":"launched","service_name":"svc","severity_number":9,' +
      '"severity_text":"INFO","ts_ms":1790000000123}\n',
  );
});

test("what becomes of a backend and of the broker has a kind, a severity and a reason", () => {
  const rows: [BrokerEvent, string, string, string][] = [
    [
      { kind: "backend-launch-failed", ...BACKEND, detail: "exited with status 7", durationUs: 1 },
      "SPAWN_ATTEMPT",
      "ERROR",
      "exited with status 7",
    ],
    [{ kind: "backend-lost", ...BACKEND, pid: 42 }, "DIED_CRASH", "WARN", "ended, and no broker ended it"],
    [
      { kind: "backend-idle-ended", ...BACKEND, pid: 42, idleMs: 30_000 },
      "DIED_IDLE",
      "INFO",
      "no Hello for 30000 ms and no connection",
    ],
    [
      { kind: "backend-signalled", ...BACKEND, pid: 42, signal: "SIGTERM" },
      "DIED_IDLE",
      "WARN",
      "SIGTERM, because it did not end",
    ],
    [
      { kind: "broadcast", order: "Quiesce", acks: 2, timeouts: 0, failures: 0, skippedDead: 1 },
      "BROADCAST_ACK",
      "INFO",
      "Quiesce: 2 acks, 0 timeouts, 0 failures, 1 dead",
    ],
    [
      { kind: "broadcast", order: "ReleaseHandles", acks: 0, timeouts: 1, failures: 2, skippedDead: 0 },
      "BROADCAST_TIMEOUT",
      "WARN",
      "ReleaseHandles: 0 acks, 1 timeouts, 2 failures, 0 dead",
    ],
  ];
  for (const [event, ...wanted] of rows) {
    const { kind, severity_text, reason } = JSON.parse(text(event));
    assert.deepEqual([kind, severity_text, reason], wanted, event.kind);
  }
});

test("what the reference has no kind for is told by its own name, and comes from the broker's process", () => {
  const adopted = JSON.parse(text({ kind: "backend-adopted", ...BACKEND, pid: 42 }));
  const unspecified = "EVENT_KIND_UNSPECIFIED";
  assert.deepEqual([adopted.kind, adopted.extra.event, adopted.pid], [unspecified, "backend-adopted", 42]);
  const started = JSON.parse(text({ kind: "listening", endpoint: "/run/br.sock" }));
  assert.deepEqual([started.reason, started.pid, started.extra], ["broker started", 77, {
    event: "listening",
  }]);
  const stopped = lifecycleJson(brokerStopped(CONTEXT));
  assert.deepEqual([stopped["reason"], stopped["pid"]], ["broker stopped", 77]);
});

test("what clients do is no part of the log", () => {
  const peer = { pid: 1, uid: 2, gid: 3 };
  const events: BrokerEvent[] = [
    { kind: "peer-dropped", peer },
    { kind: "admin", peer, verb: 1 },
    { kind: "handoff-completed", connectionId: 1n, durationUs: 1 },
    { kind: "backend-kept", ...BACKEND, pid: 42, detail: "busy" },
    { kind: "lifecycle-log-failed", path: "/x", detail: "no room" },
  ];
  for (const event of events) assert.equal(lifecycleEvent(event, CONTEXT), undefined, event.kind);
});

test("a line has 512 bytes at most, whatever went wrong, and a reason is cut between characters", () => {
  assert.equal(LIFECYCLE_LINE_BYTES_MAX, 512);
  const longest = { ...CONTEXT, brokerInstance: `explicit:${"n".repeat(64)}`, brokerPid: 2 ** 32 - 1 };
  const names = { service: "s".repeat(64), version: "v".repeat(64) };
  const detail = fc.string({ unit: "binary", maxLength: 700 });
  fc.assert(
    fc.property(detail, (seen) => {
      const event = { kind: "backend-launch-failed", ...names, detail: seen, durationUs: 1 } as const;
      const fitted = fitLifecycleEvent(lifecycleEvent(event, longest)!);
      const line = lifecycleLine(fitted);
      assert.ok(line.length <= 512, `${line.length} bytes`);
      assert.ok(encodeMessage(LifecycleEventSchema, fitted).length <= 512);
      const { reason = "" } = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
      if (reason === seen) return;
      assert.ok(reason.endsWith("…") && seen.startsWith(reason.slice(0, -1)), reason);
      // One character more would not have fitted.
      const next = [...seen].slice(0, [...reason].length).join("");
      assert.ok(lifecycleLine({ ...fitted, reason: `${next}…` }).length > 512);
    }),
    { numRuns: 40 },
  );
});
