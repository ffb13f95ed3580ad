// This module has no I/O.
import type { AdminSpawnBudget } from "./admin/admin_snapshot.ts";
import type { BrokerEvent } from "./broker_event.ts";
import { MetricRegistry } from "./metrics/registry.ts";
import { type HostGauges, renderOpenMetrics } from "./metrics/render_openmetrics.ts";

/** What the labels say of a Hello whose service or version is no name that a registered backend has. */
const UNKNOWN = "other";

/** Counts what happens in a broker (protocol 6.12). */
export class BrokerMetrics {
  readonly #registry = new MetricRegistry();

  /** Counts an event; all but Hellos are ignored. Only the names in negotiated Hellos become labels. */
  count(event: BrokerEvent): void {
    if (event.kind === "backend-launched" || event.kind === "backend-launch-failed") {
      const { kind, service, version } = event;
      const outcome = kind === "backend-launched" ? "success" : "failed";
      return this.#registry.spawnAttemptsTotal.increment({ service, version, outcome });
    }
    if (event.kind !== "hello") return;
    const isKnown = event.code === 0;
    const service = isKnown ? event.service : UNKNOWN;
    const version = isKnown ? event.version : UNKNOWN;
    this.#registry.helloTotal.increment({ service, version, outcome: outcomeLabel(event.code) });
    this.#registry.helloDurationSeconds.observe({ service }, event.durationUs / 1e6);
  }

  /** The metrics in their exposition format, with the gauges of this moment. */
  render(
    host: HostGauges,
    activeBackends: ReadonlyMap<string, number>,
    spawnBudgets: readonly AdminSpawnBudget[] = [],
  ): string {
    const rows = [...activeBackends].map(([service, value]) => ({ labels: { service }, value }));
    this.#registry.activeBackends.replace(rows);
    this.#registry.spawnBudgetRemaining.replace(spawnBudgets.map((budget) => ({
      labels: { service: budget.serviceName, version: budget.serviceVersion },
      value: budget.remaining,
    })));
    return renderOpenMetrics(this.#registry, host);
  }
}

const OUTCOMES: Readonly<Record<number, string>> = {
  0: "negotiated",
  1: "version_unsupported",
  2: "service_unknown",
  3: "backend_spawn_failed",
  4: "rate_limited",
  5: "shutting_down",
  6: "peer_rejected",
  7: "internal",
  8: "version_blocked",
  9: "fd_pressure",
};

function outcomeLabel(code: number): string {
  return OUTCOMES[code] ?? UNKNOWN;
}
