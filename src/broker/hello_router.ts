import type { Frame, Hello } from "../wire/gen/broker_v1_envelope_pb.ts";
import { ErrorCode } from "../wire/gen/broker_v1_envelope_pb.ts";
import { brokerInstance, brokerInstanceId } from "../naming/broker_instance.ts";
import { ServiceDefinitionError } from "../service/service_definition_error.ts";
import type { ServiceDefinitionLoader } from "../service/service_definition_loader.ts";
import { checkVersionAllowed } from "../service/version_policy.ts";
import type { ServiceDefinition } from "../wire/gen/broker_v1_service_def_pb.ts";
import type { Refusal } from "../wire/hello.ts";
import type { BrokerObserver } from "./broker_event.ts";
import type { BackendSource } from "./backend_source.ts";
import { errorDetail } from "./error_detail.ts";
import type { BackendKey, BackendRegistry, RegisteredBackend } from "./backend_registry.ts";
import type { HelloRoute } from "./hello_handler.ts";
import { refusal, REFUSALS } from "./refusals.ts";

/** What a router is made of. */
export interface HelloRouterParts {
  /** Where definitions are read, again for every Hello. */
  readonly definitions: ServiceDefinitionLoader;
  /** The backends that were verified. */
  readonly registry: BackendRegistry;
  /** The backend to verify when none is in the registry. */
  readonly source: BackendSource;
  /** Told of each Hello that finds its backend at once; those of `source` tell for themselves. */
  readonly routed?: ((backend: RegisteredBackend) => void) | undefined;
  /** Told when a backend is verified, rejected or lost. */
  readonly observe: BrokerObserver;
}

/** Versions remembered of one definition: clients choose what they ask for, and few are asked for again. */
const RESOLVED_VERSIONS_MAX = 64;

/** Sends a Hello whose shape was checked to its backend (protocol 6.7). */
export class HelloRouter {
  readonly #parts: HelloRouterParts;
  /** What was found out of a definition that has not changed since, by the wanted version. */
  readonly #resolved = new WeakMap<ServiceDefinition, Map<string, LoadedService>>();

  /** Makes a router; what it keeps goes with the definitions. */
  constructor(parts: HelloRouterParts) {
    this.#parts = parts;
  }

  /**
   * Finds the backend for a Hello: at once when a verified one is alive, else after verifying it.
   *
   * Whatever is wrong with definition, version or backend becomes a refusal.
   */
  route(hello: Hello, frame: Frame): HelloRoute<RegisteredBackend> | Promise<HelloRoute<RegisteredBackend>> {
    const loaded = this.#load(hello);
    if (loaded.definition === undefined) return { kind: "refused", refusal: loaded.refusal };
    const { definition, key } = loaded;
    const { backend, lost } = this.#parts.registry.find(key);
    if (backend !== undefined) {
      this.#parts.routed?.(backend);
      return { kind: "backend", backend };
    }
    if (lost !== undefined) {
      const { service, version } = key;
      this.#parts.observe({ kind: "backend-lost", service, version, pid: lost.identity.pid });
    }
    return this.#parts.source.obtain({ key, definition, frame });
  }

  #load(hello: Hello): LoadedService {
    let definition: ServiceDefinition;
    try {
      definition = this.#parts.definitions.loadSync(hello.serviceName);
    } catch (error) {
      return { definition: undefined, refusal: loadRefusal(error) };
    }
    const known = this.#resolved.get(definition);
    const found = known?.get(hello.wantedVersion);
    if (found !== undefined) return found;
    const resolved = this.#resolve(definition, hello);
    if (known === undefined) this.#resolved.set(definition, new Map([[hello.wantedVersion, resolved]]));
    else if (known.size < RESOLVED_VERSIONS_MAX) known.set(hello.wantedVersion, resolved);
    return resolved;
  }

  #resolve(definition: ServiceDefinition, hello: Hello): LoadedService {
    const blocked = checkVersionAllowed(definition, hello.wantedVersion);
    if (blocked !== undefined) {
      const refused = blocked === "BelowMinVersion" ? REFUSALS.belowMinVersion : REFUSALS.outsideAllowList;
      return { definition: undefined, refusal: refused };
    }
    try {
      const instanceId = brokerInstanceId(brokerInstance(definition));
      return { definition, key: { instanceId, service: hello.serviceName, version: hello.wantedVersion } };
    } catch (error) {
      const reason = `service isolation could not be resolved: ${errorDetail(error)}`;
      return { definition: undefined, refusal: refusal(ErrorCode.ERROR_INTERNAL, reason) };
    }
  }
}

type LoadedService =
  | { readonly definition: ServiceDefinition; readonly key: BackendKey }
  | { readonly definition: undefined; readonly refusal: Refusal };

function loadRefusal(error: unknown): Refusal {
  if (error instanceof ServiceDefinitionError) {
    if (error.kind === "InvalidName") return REFUSALS.serviceName;
    if (error.isNotFound) return REFUSALS.definitionMissing;
  }
  const reason = `service definition could not be loaded: ${errorDetail(error)}`;
  return refusal(ErrorCode.ERROR_SERVICE_UNKNOWN, reason);
}
