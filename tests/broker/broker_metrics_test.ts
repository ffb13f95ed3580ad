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
  metrics.count({ kind: "draining", connectionsOpen: 1, deadlineMs: 1 });
  metrics.count({ kind: "fd-pressure", isDemoted: true, detail: "none was left" });
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

test("handoffs are counted when they are announced, and where and why they end", () => {
  const metrics = new BrokerMetrics();
  for (let i = 0; i < 4; i++) metrics.count(helloEvent({ handoffAnnounced: i > 0 }));
  metrics.count({ kind: "handoff-completed", connectionId: 1n, durationUs: 250_000 });
  const fallback = { kind: "handoff-fallback", connectionId: 2n, detail: "", durationUs: 500_000 } as const;
  metrics.count({ ...fallback, stage: "AwaitAck", reason: "BackendAckTimeout" });
  metrics.count({ ...fallback, stage: "Plan", reason: undefined });
  const text = metrics.render(HOST, new Map());
  assert.deepEqual(samples(text, "handoff_attempts_total"), { "": 3 });
  assert.deepEqual(samples(text, "handoff_outcomes_total"), {
    '{stage="AwaitAck",reason="BackendAckTimeout"}': 1,
    '{stage="Plan",reason="none"}': 1,
    '{stage="completed",reason="none"}': 1,
  });
  assert.deepEqual(samples(text, "handoff_duration_seconds_count"), { "": 3 });
  assert.deepEqual(samples(text, "handoff_duration_seconds_sum"), { "": 1.25 });
  const buckets = samples(text, "handoff_duration_seconds_bucket");
  assert.deepEqual([buckets['{le="0.05"}'], buckets['{le="0.25"}'], buckets['{le="1.0"}']], [0, 1, 3]);
});

test("refusals are counted by their code", () => {
  const metrics = new BrokerMetrics();
  metrics.count(helloEvent());
  metrics.count(helloEvent({ code: 6, outcome: "incomplete Hello frame" }));
  metrics.count(helloEvent({ code: 6, outcome: "invalid service_name" }));
  metrics.count(helloEvent({ code: 5, outcome: "broker is shutting down" }));
  assert.deepEqual(samples(metrics.render(HOST, new Map()), "refusals_total"), {
    '{code="peer_rejected"}': 2,
    '{code="shutting_down"}': 1,
  });
});

test("every limit that is met is counted under its name", () => {
  const metrics = new BrokerMetrics();
  const peer = { pid: 1, uid: 1, gid: 1 };
  for (const limit of ["connections-open", "connections-per-process", "descriptors"] as const) {
    metrics.count({ kind: "connection-limit", peer, limit, isAnswered: true, connectionsOpen: 1 });
  }
  metrics.count({ kind: "peer-dropped", peer });
  metrics.count(helloEvent({ code: 4, outcome: "Hello rate limit exceeded" }));
  metrics.count(helloEvent({ code: 9, outcome: "broker is low on file descriptors; retry shortly" }));
  metrics.count(helloEvent({ code: 4, outcome: "backend spawn already in progress" }));
  assert.deepEqual(samples(metrics.render(HOST, new Map()), "limit_hits_total"), {
    '{limit="connections-open"}': 1,
    '{limit="connections-per-process"}': 1,
    '{limit="descriptors"}': 1,
    '{limit="fd-pressure"}': 1,
    '{limit="hello-rate"}': 1,
    '{limit="peer-credentials"}': 1,
  });
});

test("without anything counted the text is the frozen one, and what is ours comes behind it", () => {
  const metrics = new BrokerMetrics();
  const families = () =>
    metrics.render(HOST, new Map()).split("\n").filter((line) => line.startsWith("# TYPE"))
      .map((line) => line.split(" ")[2]!.slice(PREFIX.length));
  assert.equal(families().length, 8);
  metrics.count({ kind: "handoff-completed", connectionId: 1n, durationUs: 300 });
  assert.deepEqual(families().slice(8), ["handoff_outcomes", "handoff_duration_seconds"]);
});
