import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerEvent } from "../../src/broker/broker_event.ts";
import { BrokerMetrics } from "../../src/broker/broker_metrics.ts";

const HOST = { connectionsOpen: 3, fdUsageRatio: 0, uptimeMs: 12_345 };
const PREFIX = "running_process_broker_v1_";

function helloEvent(fields: Partial<Extract<BrokerEvent, { kind: "hello" }>> = {}): BrokerEvent {
  return {
    kind: "hello",
    peer: { pid: 1, uid: 1, gid: 1 },
    service: "svc",
    version: "1.2.3",
    outcome: "negotiated",
    code: 0,
    connectionId: 1n,
    handoffAnnounced: false,
    durationUs: 250,
    ...fields,
  };
}

/** The samples of a metric, by their labels. */
function samples(text: string, name: string): Record<string, number> {
  const lines = text.split("\n").filter((line) => line.startsWith(`${PREFIX}${name}`));
  return Object.fromEntries(lines.map((line) => {
    const [labelled = "", value] = line.slice(PREFIX.length + name.length).split(" ");
    return [labelled, Number(value)];
  }));
}

test("a negotiated Hello is counted under its service and version", () => {
  const metrics = new BrokerMetrics();
  metrics.count(helloEvent());
  metrics.count(helloEvent());
  metrics.count(helloEvent({ version: "2.0.0" }));
  assert.deepEqual(samples(metrics.render(HOST, new Map()), "hello_total"), {
    '{service="svc",version="1.2.3",outcome="negotiated"}': 2,
    '{service="svc",version="2.0.0",outcome="negotiated"}': 1,
  });
});

test("a refused Hello is counted by its outcome only: its names are the client's to choose", () => {
  const metrics = new BrokerMetrics();
  for (let i = 0; i < 500; i++) {
    metrics.count(helloEvent({ service: `made-up-${i}`, version: `${i}.0.0`, code: 2 }));
  }
  assert.deepEqual(samples(metrics.render(HOST, new Map()), "hello_total"), {
    '{service="other",version="other",outcome="service_unknown"}': 500,
  });
});

test("each error code has its outcome, and an unknown one is other", () => {
  const metrics = new BrokerMetrics();
  for (let code = 0; code <= 10; code++) metrics.count(helloEvent({ code }));
  const outcomes = Object.keys(samples(metrics.render(HOST, new Map()), "hello_total"))
    .map((labels) => /outcome="(\w+)"/.exec(labels)?.[1]);
  assert.deepEqual(
    outcomes.sort(),
    [
      "backend_spawn_failed",
      "fd_pressure",
      "internal",
      "negotiated",
      "other",
      "peer_rejected",
      "rate_limited",
      "service_unknown",
      "shutting_down",
      "version_blocked",
      "version_unsupported",
    ],
  );
});

test("durations are observed in seconds, per service", () => {
  const metrics = new BrokerMetrics();
  metrics.count(helloEvent({ durationUs: 250 }));
  metrics.count(helloEvent({ durationUs: 1_750 }));
  metrics.count(helloEvent({ durationUs: 4_000, code: 3 }));
  const text = metrics.render(HOST, new Map());
  assert.equal(samples(text, "hello_duration_seconds_count")['{service="svc"}'], 2);
  assert.equal(samples(text, "hello_duration_seconds_sum")['{service="svc"}'], 0.002);
  assert.equal(samples(text, "hello_duration_seconds_sum")['{service="other"}'], 0.004);
});

test("launches are counted by their outcome", () => {
  const metrics = new BrokerMetrics();
  const backend = { service: "svc", version: "1.2.3", durationUs: 9 };
  metrics.count({ kind: "backend-launched", pid: 7, ...backend });
  metrics.count({ kind: "backend-launch-failed", detail: "no", ...backend });
  metrics.count({ kind: "backend-launch-failed", detail: "no", ...backend });
  assert.deepEqual(samples(metrics.render(HOST, new Map()), "spawn_attempts_total"), {
    '{service="svc",version="1.2.3",outcome="success"}': 1,
    '{service="svc",version="1.2.3",outcome="failed"}': 2,
  });
});

test("other events are not counted", () => {
  const metrics = new BrokerMetrics();
  const before = metrics.render(HOST, new Map());
  metrics.count({ kind: "listening", endpoint: "/x" });
  metrics.count({ kind: "peer-dropped", peer: undefined });
  metrics.count({ kind: "handoff-completed", connectionId: 1n, durationUs: 1 });
  assert.equal(metrics.render(HOST, new Map()), before);
});

test("gauges are those of the moment: a backend that is gone has no sample", () => {
  const metrics = new BrokerMetrics();
  const budget = { serviceName: "svc", serviceVersion: "1.2.3", remaining: 2 };
  const first = metrics.render(HOST, new Map([["svc", 1], ["old", 0]]), [budget as never]);
  assert.deepEqual(samples(first, "active_backends"), { '{service="svc"}': 1, '{service="old"}': 0 });
  assert.deepEqual(samples(first, "spawn_budget_remaining"), { '{service="svc",version="1.2.3"}': 2 });
  assert.deepEqual(samples(first, "connections_open"), { "": 3 });
  assert.deepEqual(samples(first, "uptime_seconds"), { "": 12 });
  const later = metrics.render({ ...HOST, connectionsOpen: 0 }, new Map([["svc", 0]]));
  assert.deepEqual(samples(later, "active_backends"), { '{service="svc"}': 0 });
  assert.deepEqual(samples(later, "spawn_budget_remaining"), {});
  assert.deepEqual(samples(later, "connections_open"), { "": 0 });
});
