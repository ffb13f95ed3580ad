// This module has no I/O.
import type { AdminSpawnBudget } from "./admin/admin_snapshot.ts";
import type { BrokerEvent } from "./broker_event.ts";
import { HELLO_RATE_REASON } from "./hello_rate_limiter.ts";
import { FD_PRESSURE_REASON } from "./limits/fd_pressure_guard.ts";
import { MetricRegistry } from "./metrics/registry.ts";
import { type HostGauges, renderOpenMetrics } from "./metrics/render_openmetrics.ts";

/** What the labels say of a Hello whose service or version is no name that a registered backend has. */
const UNKNOWN = "other";

/** Counts what happens in a broker (protocol 6.12). */
export class BrokerMetrics {
  readonly #registry = new MetricRegistry();

  /** Counts an event that is worth a number. Of Hellos, only the names in negotiated ones become labels. */
  count(event: BrokerEvent): void {
    switch (event.kind) {
      case "hello":
        return this.#countHello(event);
      case "backend-launched":
      case "backend-launch-failed":
        return this.#countLaunch(event);
      case "handoff-completed":
        return this.#countHandoff("completed", undefined, event.durationUs);
      case "handoff-fallback":
        return this.#countHandoff(event.stage, event.reason, event.durationUs);
      case "connection-limit":
        return this.#registry.limitHitsTotal.increment({ limit: event.limit });
      case "peer-dropped":
        return this.#registry.limitHitsTotal.increment({ limit: "peer-credentials" });
    }
  }

  #countLaunch({ kind, service, version }: EventOf<"backend-launched" | "backend-launch-failed">): void {
    const outcome = kind === "backend-launched" ? "success" : "failed";
    this.#registry.spawnAttemptsTotal.increment({ service, version, outcome });
  }

  #countHandoff(stage: string, reason: string | undefined, durationUs: number): void {
    this.#registry.handoffOutcomesTotal.increment({ stage, reason: reason ?? "none" });
    this.#registry.handoffDurationSeconds.observe({}, durationUs / 1e6);
  }

  #countHello(event: EventOf<"hello">): void {
    if (event.handoffAnnounced) this.#registry.handoffAttemptsTotal.increment({});
    if (event.code !== 0) this.#registry.refusalsTotal.increment({ code: outcomeLabel(event.code) });
    const limit = LIMIT_OF_OUTCOME.get(event.outcome);
    if (limit !== undefined) this.#registry.limitHitsTotal.increment({ limit });
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

type EventOf<Kind extends BrokerEvent["kind"]> = Extract<BrokerEvent, { kind: Kind }>;

/** Refusals that are a limit of their own; the other codes say which one was met. */
const LIMIT_OF_OUTCOME: ReadonlyMap<string, string> = new Map([
  [HELLO_RATE_REASON, "hello-rate"],
  [FD_PRESSURE_REASON, "fd-pressure"],
]);

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
