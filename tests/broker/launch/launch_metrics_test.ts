import assert from "node:assert/strict";
import test from "node:test";
import { BrokerMetrics } from "../../../src/broker/broker_metrics.ts";

const HOST = { connectionsOpen: 0, fdUsageRatio: 0, uptimeMs: 0 };
const NAMES = { service: "svc", version: "1.2.3" };

function lines(text: string, name: string): string[] {
  const prefix = `running_process_broker_v1_${name}`;
  return text.split("\n").filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}

test("each launch is counted by its outcome, adopting none", () => {
  const metrics = new BrokerMetrics();
  metrics.count({ kind: "backend-launch-failed", ...NAMES, detail: "no luck", durationUs: 5 });
  metrics.count({ kind: "backend-launch-failed", ...NAMES, detail: "no luck", durationUs: 5 });
  metrics.count({ kind: "backend-launched", ...NAMES, pid: 7, durationUs: 5 });
  metrics.count({ kind: "backend-adopted", ...NAMES, pid: 7 });
  assert.deepEqual(lines(metrics.render(HOST, new Map()), "spawn_attempts_total"), [
    '{service="svc",version="1.2.3",outcome="failed"} 2',
    '{service="svc",version="1.2.3",outcome="success"} 1',
  ]);
});

test("the budget that is left has a row for each window that runs, and none afterwards", () => {
  const metrics = new BrokerMetrics();
  const row = (serviceVersion: string, remaining: number) => ({
    brokerInstance: "shared",
    serviceName: "svc",
    serviceVersion,
    attemptsUsed: 3 - remaining,
    remaining,
    inFlight: false,
    retryAfterMs: remaining === 0 ? 30_000 : null,
  });
  const budgets = [row("1.2.3", 0), row("2.0.0", 2)];
  assert.deepEqual(lines(metrics.render(HOST, new Map(), budgets), "spawn_budget_remaining"), [
    '{service="svc",version="1.2.3"} 0',
    '{service="svc",version="2.0.0"} 2',
  ]);
  assert.deepEqual(lines(metrics.render(HOST, new Map(), []), "spawn_budget_remaining"), []);
});
