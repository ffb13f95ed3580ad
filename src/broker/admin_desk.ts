import process from "node:process";
import { statfs } from "node:fs/promises";
import { daemonDataDirectory, type DirectoryChoice } from "../naming/directories.ts";
import { hostValues } from "../host/host_values.ts";
import type { AdminReply, AdminRequest } from "../wire/gen/broker_v1_admin_pb.ts";
import { renderAdminReply } from "./admin/admin_reply.ts";
import { type AdminBackend, type AdminInodePressure, METADATA_ONLY_BUNDLE } from "./admin/admin_snapshot.ts";
import type { BackendRegistry, RegisteredBackend } from "./backend_registry.ts";
import type { BrokerMetrics } from "./broker_metrics.ts";
import type { Clock } from "./clock.ts";

/** What an operator can be told about. */
export interface AdminDeskParts {
  readonly brokerInstance: string;
  readonly definitions: DirectoryChoice;
  readonly registry: BackendRegistry;
  readonly clock: Clock;
  readonly startMs: number;
  readonly connectionsOpen: () => number;
  readonly isAcceptingHello: () => boolean;
  readonly metrics: BrokerMetrics;
}

/** Answers operators (protocol 6.11). */
export class AdminDesk {
  readonly #parts: AdminDeskParts;

  constructor(parts: AdminDeskParts) {
    this.#parts = parts;
  }

  async answer(request: AdminRequest): Promise<Omit<AdminReply, "$typeName" | "$unknown">> {
    const { brokerInstance, definitions, registry, clock, startMs, connectionsOpen } = this.#parts;
    const uptimeMs = clock() - startMs;
    const snapshot = {
      brokerInstance,
      acceptingHello: this.#parts.isAcceptingHello(),
      brokerPid: process.pid,
      uptimeMs,
      generatedAtUnixMs: Date.now(),
      connectionsOpen: connectionsOpen(),
      fdUsageRatio: 0,
      fdPressureDemoted: false,
      inodePressure: await inodePressure(daemonDataDirectory(hostValues()).path),
      serviceDefinitionDir: definitions,
      backends: registry.list().map((backend) => adminBackend(backend, registry)),
      spawnBudgets: [],
      recentLifecycleEvents: [],
      diagnoseBundle: METADATA_ONLY_BUNDLE,
    };
    return renderAdminReply(
      request,
      snapshot,
      this.#parts.metrics.render(snapshot, activeBackends(snapshot.backends)),
    );
  }
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

/** Of the file system that the directory is on, or will be on once it is made. */
async function inodePressure(directory: string): Promise<AdminInodePressure> {
  for (let folder = directory;; folder = folder.slice(0, folder.lastIndexOf("/"))) {
    try {
      const { files, ffree } = await statfs(folder === "" ? "/" : folder, { bigint: true });
      return { supported: true, inodesTotal: files, inodesFree: ffree };
    } catch (error) {
      const isMissing = (error as { code?: unknown }).code === "ENOENT";
      if (!isMissing || !folder.includes("/")) return { supported: false, detail: (error as Error).message };
    }
  }
}
