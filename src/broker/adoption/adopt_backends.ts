import { type CancelSignal, CancelSource } from "../../cancel_signal.ts";
import { BrokerError } from "../../errors.ts";
import { brokerInstance, brokerInstanceId } from "../../naming/broker_instance.ts";
import type { ServiceDefinitionLoader } from "../../service/service_definition_loader.ts";
import { checkVersionAllowed } from "../../service/version_policy.ts";
import type { BackendRegistry } from "../backend_registry.ts";
import type { BrokerObserver } from "../broker_event.ts";
import { launchCommand } from "../launch/launch_command.ts";
import type { RecordFolder } from "./record_folder.ts";
import type { RecordedBackends, WantedCommand } from "./recorded_backends.ts";

/** Records looked at before a broker listens; a user runs a handful of daemons, and each look is a connection. */
export const RECORDS_MAX = 128;
/** Milliseconds that looking may hold the start up; what is left over is looked at when a Hello asks for it. */
export const ADOPT_DEADLINE_MS = 3_000;

/** What adopting needs. */
export interface AdoptParts {
  /** Where the records are. */
  readonly folder: Pick<RecordFolder, "list">;
  /** Tells which of them serve. */
  readonly records: Pick<RecordedBackends, "find">;
  /** Says what each service's backend has to be. */
  readonly definitions: ServiceDefinitionLoader;
  /** Where an interpreter that a definition only names is looked for. */
  readonly searchPath: string;
  /** Where adopted backends are registered. */
  readonly registry: BackendRegistry;
  /** Told of each. */
  readonly observe: BrokerObserver;
  /** Ends it early. */
  readonly signal: CancelSignal;
  /** Milliseconds that it may take. @default {3000} */
  readonly deadlineMs?: number;
}

/** Registers the backends that earlier brokers have launched and that still serve, all at once. */
export async function adoptBackends(parts: AdoptParts): Promise<void> {
  const { folder, signal, deadlineMs = ADOPT_DEADLINE_MS } = parts;
  const paths = (await folder.list()).slice(0, RECORDS_MAX);
  const end = new CancelSource();
  const late = new BrokerError("deadline", `Cannot look at all backends on record within ${deadlineMs} ms`);
  const timer = setTimeout(() => end.abort(late), deadlineMs);
  const abort = () => end.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  // Hashing an executable cannot be cut short: it goes on, and nobody looks at what it finds.
  const ended = new Promise<void>((resolve) => end.addEventListener("abort", resolve));
  try {
    await Promise.race([Promise.all(paths.map((path) => adopt(parts, path, end))), ended]);
    signal.throwIfAborted();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    end.abort(late);
  }
}

async function adopt(parts: AdoptParts, path: string, end: CancelSignal): Promise<void> {
  const { records, registry, observe } = parts;
  const backend = await records.find(path, wantedByDefinition(parts), end);
  if (backend === undefined || end.aborted) return;
  registry.insert(backend);
  const { service, version } = backend.key;
  observe({ kind: "backend-adopted", service, version, pid: backend.identity.pid });
}

function wantedByDefinition({ definitions, searchPath }: AdoptParts): WantedCommand {
  return async ({ key }) => {
    const definition = await definitions.load(key.service);
    if (checkVersionAllowed(definition, key.version) !== undefined) {
      return { unwanted: "the service definition does not allow its version any more" };
    }
    if (brokerInstanceId(brokerInstance(definition)) !== key.instanceId) {
      return { unwanted: "the service definition isolates it in another way now" };
    }
    return await launchCommand(definition, searchPath);
  };
}
