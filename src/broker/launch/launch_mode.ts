import { randomBytes } from "node:crypto";
import { hostValues } from "../../host/host_values.ts";
import { userSidHash } from "../../host/user.ts";
import type { AdminSpawnBudget } from "../admin/admin_snapshot.ts";
import { backendKeyFromText, type BackendRegistry } from "../backend_registry.ts";
import type { BrokerObserver } from "../broker_event.ts";
import type { ServeMode } from "../serve_mode.ts";
import { CommandLauncher, type CommandLauncherParts } from "./command_launcher.ts";
import { EndpointAllocator } from "./endpoint_allocator.ts";
import { LaunchingService } from "./launching_service.ts";
import { SpawnCoordinator } from "./spawn_coordinator.ts";

/** What operators see as the instance of a broker that launches: it serves them all (protocol 6.1). */
const LAUNCH_LABEL = "launch";

/** What a broker that launches shares with its other parts. */
export interface LaunchModeParts extends Omit<CommandLauncherParts, "allocator" | "host" | "ceilingMs"> {
  /** Where launched backends are registered. */
  readonly registry: BackendRegistry;
  /** Told of each launch. */
  readonly observe: BrokerObserver;
}

/** A broker that starts its backends; nothing is started or probed before the first Hello (protocol 6.1). */
export async function launchMode(shared: LaunchModeParts): Promise<ServeMode> {
  const allocator = new EndpointAllocator(await userSidHash(), (length) => randomBytes(length));
  const launcher = new CommandLauncher({ ...shared, allocator, host: hostValues() });
  const coordinator = new SpawnCoordinator();
  const { clock } = shared;
  return {
    source: new LaunchingService({
      ...shared,
      coordinator,
      unixNowMs: Date.now,
      launch: (request) => launcher.launch(request),
    }),
    label: LAUNCH_LABEL,
    spawnBudgets: () => coordinator.keys(clock()).map((text) => budgetRow(text, coordinator, clock())),
  };
}

function budgetRow(text: string, coordinator: SpawnCoordinator, nowMs: number): AdminSpawnBudget {
  const { instanceId, service, version } = backendKeyFromText(text);
  const { retryAfterMs = null, ...budget } = coordinator.snapshot(text, nowMs);
  const key = { brokerInstance: instanceId, serviceName: service, serviceVersion: version };
  return { ...key, ...budget, retryAfterMs };
}
