// This module has no I/O.
import type { AdminBackend, AdminSnapshot, AdminSpawnBudget } from "./admin_snapshot.ts";
import { effectiveConfig } from "./effective_config.ts";
import { type AdminReplyBody, jsonReply } from "./reply_body.ts";
import type { SortedJsonObject } from "./sorted_json.ts";

/** DUMP: backends, spawn budgets, configuration and recent events in one body. */
export function dumpReply(snapshot: AdminSnapshot): AdminReplyBody {
  return jsonReply("dump", snapshot, {
    backend_table: snapshot.backends.map(backendRow),
    broker_instance: snapshot.brokerInstance,
    effective_config: effectiveConfig(snapshot),
    recent_lifecycle_events: snapshot.recentLifecycleEvents,
    spawn_budgets: snapshot.spawnBudgets.map(spawnBudgetRow),
  });
}

function backendRow(backend: AdminBackend): SortedJsonObject {
  return {
    backend_pipe: backend.backendPipe,
    pid: backend.pid,
    service_name: backend.serviceName,
    service_version: backend.serviceVersion,
    state: backend.state,
  };
}

function spawnBudgetRow(budget: AdminSpawnBudget): SortedJsonObject {
  return {
    attempts_used: budget.attemptsUsed,
    broker_instance: budget.brokerInstance,
    in_flight: budget.inFlight,
    remaining: budget.remaining,
    retry_after_ms: budget.retryAfterMs,
    service_name: budget.serviceName,
    service_version: budget.serviceVersion,
  };
}
