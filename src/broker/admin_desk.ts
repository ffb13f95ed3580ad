import process from "node:process";
import { daemonDataDirectory, type DirectoryChoice } from "../naming/directories.ts";
import { hostValues } from "../host/host_values.ts";
import { type AdminReply, type AdminRequest, AdminVerb } from "../wire/gen/broker_v1_admin_pb.ts";
import { renderAdminReply } from "./admin/admin_reply.ts";
import { type AdminBackend, type AdminSpawnBudget, METADATA_ONLY_BUNDLE } from "./admin/admin_snapshot.ts";
import { textReply } from "./admin/reply_body.ts";
import type { SortedJsonObject } from "./admin/sorted_json.ts";
import type { BackendRegistry, RegisteredBackend } from "./backend_registry.ts";
import type { BrokerMetrics } from "./broker_metrics.ts";
import type { Clock } from "./clock.ts";
import { inodePressure } from "./inode_pressure.ts";
import { DRAIN_DEADLINE_MS_DEFAULT, DRAIN_DEADLINE_MS_MAX } from "./serve_broker_options.ts";

/** What an operator can be told about. */
export interface AdminDeskParts {
  /** The broker's instance label, for example `shared`. */
  readonly brokerInstance: string;
  /** Where service definitions are read from, and what decided that. */
  readonly definitions: DirectoryChoice;
  /** The backends to list. */
  readonly registry: BackendRegistry;
  /** The broker's monotonic clock, in milliseconds. */
  readonly clock: Clock;
  /** When the broker started, on that clock. */
  readonly startMs: number;
  /** How many client connections are served now. */
  readonly connectionsOpen: () => number;
  /** Whether Hellos are answered at the moment. */
  readonly isAcceptingHello: () => boolean;
  /** What METRICS shows. */
  readonly metrics: BrokerMetrics;
  /** How often backends may still be launched. */
  readonly spawnBudgets: () => readonly AdminSpawnBudget[];
  /** What has become of backends lately, oldest first. */
  readonly lifecycleEvents: () => readonly SortedJsonObject[];
  /** Open descriptors in parts of their limit. @default {0, which stands for not measured} */
  readonly fdUsageRatio?: (() => number) | undefined;
  /** Whether Hellos are refused because descriptors ran out. @default {never} */
  readonly isFdPressureDemoted?: (() => boolean) | undefined;
  /** Stops the broker for SHUTDOWN; without it nobody knows that verb. */
  readonly shutDown?: ((drainDeadlineMs: number) => void) | undefined;
}

/** Answers operators (protocol 6.11). */
export class AdminDesk {
  readonly #parts: AdminDeskParts;

  /** Serves one broker as long as it runs. */
  constructor(parts: AdminDeskParts) {
    this.#parts = parts;
  }

  /**
   * Answers one request from the broker's present state, with the fields of an AdminReply.
   *
   * A verb that is not known is answered in words, and an inode table that the system does not show is reported
   * as not supported.
   */
  async answer(request: AdminRequest): Promise<Omit<AdminReply, "$typeName" | "$unknown">> {
    const { shutDown } = this.#parts;
    if (request.verb === AdminVerb.SHUTDOWN && shutDown !== undefined) {
      shutDown(drainDeadlineMs(request));
      return textReply("broker shutting down\n");
    }
    const { brokerInstance, definitions, registry, clock, startMs, connectionsOpen } = this.#parts;
    const uptimeMs = clock() - startMs;
    const snapshot = {
      brokerInstance,
      acceptingHello: this.#parts.isAcceptingHello(),
      brokerPid: process.pid,
      uptimeMs,
      generatedAtUnixMs: Date.now(),
      connectionsOpen: connectionsOpen(),
      fdUsageRatio: this.#parts.fdUsageRatio?.() ?? 0,
      fdPressureDemoted: this.#parts.isFdPressureDemoted?.() ?? false,
      inodePressure: await inodePressure(daemonDataDirectory(hostValues()).path),
      serviceDefinitionDir: definitions,
      backends: registry.list().map((backend) => adminBackend(backend, registry)),
      spawnBudgets: this.#parts.spawnBudgets(),
      recentLifecycleEvents: this.#parts.lifecycleEvents(),
      diagnoseBundle: METADATA_ONLY_BUNDLE,
    };
    return renderAdminReply(
      request,
      snapshot,
      this.#parts.metrics.render(snapshot, activeBackends(snapshot.backends), snapshot.spawnBudgets),
    );
  }
}

/** Not given, which is the same as 0, stands for the usual time. */
function drainDeadlineMs({ drainDeadlineMs: asked }: AdminRequest): number {
  if (asked === 0n) return DRAIN_DEADLINE_MS_DEFAULT;
  return asked > BigInt(DRAIN_DEADLINE_MS_MAX) ? DRAIN_DEADLINE_MS_MAX : Number(asked);
}

function activeBackends(backends: readonly AdminBackend[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { serviceName, state } of backends) {
    counts.set(serviceName, (counts.get(serviceName) ?? 0) + (state === "running" ? 1 : 0));
  }
  return counts;
}

function adminBackend(backend: RegisteredBackend, registry: BackendRegistry): AdminBackend {
  return {
    serviceName: backend.key.service,
    serviceVersion: backend.key.version,
    backendPipe: backend.backendPipe,
    pid: backend.identity.pid,
    state: registry.isAlive(backend) ? "running" : "stale",
    lastActiveUnixMs: backend.identity.startedAtUnixMs,
    lastHelloUnixMs: 0n,
    lastError: null,
  };
}
