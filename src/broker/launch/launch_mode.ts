import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import process from "node:process";
import { BrokerError } from "../../errors.ts";
import { hostValues } from "../../host/host_values.ts";
import { type ProcessIdentity, processIdentity } from "../../host/process_identity.ts";
import { userSidHash } from "../../host/user.ts";
import { endpointDirectory } from "../../naming/endpoint_path.ts";
import type { ServiceDefinitionLoader } from "../../service/service_definition_loader.ts";
import { adoptBackends } from "../adoption/adopt_backends.ts";
import { RecordFolder } from "../adoption/record_folder.ts";
import { RecordedBackends } from "../adoption/recorded_backends.ts";
import type { AdminSpawnBudget } from "../admin/admin_snapshot.ts";
import { backendKeyFromText, type BackendRegistry } from "../backend_registry.ts";
import type { BrokerObserver } from "../broker_event.ts";
import type { ServeMode } from "../serve_mode.ts";
import { CommandLauncher, type CommandLauncherParts } from "./command_launcher.ts";
import { CrashRecovery } from "./crash_recovery.ts";
import { EndpointAllocator } from "./endpoint_allocator.ts";
import { ExclusiveLaunch } from "./exclusive_launch.ts";
import { LaunchingService } from "./launching_service.ts";
import { SpawnCoordinator } from "./spawn_coordinator.ts";

/** What operators see as the instance of a broker that launches: it serves them all (protocol 6.1). */
export const LAUNCH_LABEL = "launch";

/** What a broker that launches shares with its other parts. */
export interface LaunchModeParts
  extends Omit<CommandLauncherParts, "allocator" | "host" | "broker" | "records" | "ceilingMs"> {
  /** Where launched backends are registered. */
  readonly registry: BackendRegistry;
  /** Told of each launch. */
  readonly observe: BrokerObserver;
}

/**
 * A broker that starts its backends, and takes over those that the brokers of its endpoint before it have started;
 * nothing is started before the first Hello (protocol 6.1).
 *
 * @param definitions Says what the backends on record have to be.
 * @param endpoint Where the broker is to serve.
 */
export async function launchMode(
  shared: LaunchModeParts,
  definitions: ServiceDefinitionLoader,
  endpoint: string,
): Promise<ServeMode> {
  const host = hostValues();
  const searchPath = host.environment["PATH"] ?? "";
  const broker = { endpoint: resolve(endpoint), process: await ownProcess() };
  const folder = new RecordFolder(broker.endpoint);
  const records = new RecordedBackends({ ...shared, folder });
  await adoptBackends({ ...shared, folder, records, definitions, searchPath });
  const allocator = new EndpointAllocator(await userSidHash(), (length) => randomBytes(length));
  const launcher = new CommandLauncher({ ...shared, broker, records, allocator, host });
  const launch = new ExclusiveLaunch({
    ...shared,
    folder,
    records,
    searchPath,
    lockFolder: join(endpointDirectory(host), "locks"),
    spawn: (request) => launcher.launch(request),
  });
  const coordinator = new SpawnCoordinator();
  const { clock } = shared;
  return {
    source: new LaunchingService({
      ...shared,
      coordinator,
      crashes: new CrashRecovery(),
      unixNowMs: Date.now,
      launch: (request) => launch.launch(request),
    }),
    label: LAUNCH_LABEL,
    spawnBudgets: () => coordinator.keys(clock()).map((text) => budgetRow(text, coordinator, clock())),
  };
}

async function ownProcess(): Promise<ProcessIdentity> {
  const own = await processIdentity(process.pid);
  if (own !== undefined) return own;
  throw new BrokerError("os", `Cannot serve a broker: the system does not know this process, ${process.pid}`);
}

function budgetRow(text: string, coordinator: SpawnCoordinator, nowMs: number): AdminSpawnBudget {
  const { instanceId, service, version } = backendKeyFromText(text);
  const { retryAfterMs = null, ...budget } = coordinator.snapshot(text, nowMs);
  const key = { brokerInstance: instanceId, serviceName: service, serviceVersion: version };
  return { ...key, ...budget, retryAfterMs };
}
