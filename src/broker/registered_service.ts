import type { CancelSignal } from "../cancel_signal.ts";
import type { ExecutableHasher } from "../host/executable.ts";
import { PROBE_DEADLINE_MS } from "../transport/ask_identity.ts";
import type { Transport } from "../transport/transport.ts";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";
import type { ServiceDefinition } from "../wire/gen/broker_v1_service_def_pb.ts";
import { proveBackend } from "./backend_probe.ts";
import {
  type BackendKey,
  backendKeyText,
  type BackendRegistry,
  type RegisteredBackend,
} from "./backend_registry.ts";
import type { BackendRequest, BackendSource } from "./backend_source.ts";
import type { BrokerObserver } from "./broker_event.ts";
import { errorDetail } from "./error_detail.ts";
import type { HelloRoute } from "./hello_handler.ts";
import { REFUSALS } from "./refusals.ts";

/** A backend that a broker is told about when it starts (protocol 6.1, registered mode). */
export interface BackendRegistration {
  /** The service, as its definition names it. */
  readonly service: string;
  /** The version, byte for byte as a Hello has to want it. */
  readonly version: string;
  /** The endpoint that clients dial and that answers probes. */
  readonly endpoint: string;
  /** Where connections are passed to; without it nothing is handed over. */
  readonly handoffEndpoint?: string | undefined;
  /** Reads the identity that the backend has announced; without it any process that proves itself will do. */
  readonly announcedIdentity?: (() => Promise<DaemonProcess>) | undefined;
}

/** What verifying a registered backend needs. */
export interface RegisteredServiceParts {
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** Hashes executables, each state of a file once. */
  readonly hasher: ExecutableHasher;
  /** The backend, as the broker was told of it. */
  readonly registration: BackendRegistration;
  /** Ends a verification that is under way: the broker stops. */
  readonly signal: CancelSignal;
  /** Where verified backends are put. */
  readonly registry: BackendRegistry;
  /** Told what becomes of a backend. */
  readonly observe: BrokerObserver;
}

/** The one backend of a broker in registered mode: verified at start, and again when its process was replaced. */
export class RegisteredService implements BackendSource {
  readonly #parts: RegisteredServiceParts;
  readonly #verifying = new Map<string, Promise<RegisteredBackend>>();

  /** Makes the service; nothing is verified yet. */
  constructor(parts: RegisteredServiceParts) {
    this.#parts = parts;
  }

  /** Whether a key is the one that was registered. */
  covers(key: BackendKey): boolean {
    const { service, version } = this.#parts.registration;
    return key.service === service && key.version === version;
  }

  /**
   * Probes the backend; callers that come while that is under way share its outcome.
   *
   * @throws {BrokerError} When the backend is not there or not what it should be.
   */
  verify(key: BackendKey, definition: ServiceDefinition): Promise<RegisteredBackend> {
    const text = backendKeyText(key);
    const running = this.#verifying.get(text);
    if (running !== undefined) return running;
    const verifying = this.#verify(key, definition).finally(() => this.#verifying.delete(text));
    this.#verifying.set(text, verifying);
    return verifying;
  }

  /** The registered backend may have been replaced by another process on the same endpoint. */
  async obtain({ key, definition }: BackendRequest): Promise<HelloRoute<RegisteredBackend>> {
    const { registry, observe } = this.#parts;
    if (!this.covers(key)) return { kind: "refused", refusal: REFUSALS.notRegistered };
    const { service, version } = key;
    try {
      const backend = await this.verify(key, definition);
      registry.insert(backend);
      observe({ kind: "backend-verified", service, version, pid: backend.identity.pid });
      return { kind: "backend", backend };
    } catch (error) {
      observe({ kind: "backend-rejected", service, version, detail: errorDetail(error) });
      return { kind: "refused", refusal: REFUSALS.notRegistered };
    }
  }

  async #verify(key: BackendKey, definition: ServiceDefinition): Promise<RegisteredBackend> {
    const { transport, hasher, registration, signal } = this.#parts;
    const { endpoint, handoffEndpoint, announcedIdentity } = registration;
    const proven = await proveBackend(transport, hasher, {
      endpoint,
      namespaceId: key.instanceId,
      binaryPath: definition.binaryPath,
      identity: await announcedIdentity?.(),
    }, { deadlineMs: PROBE_DEADLINE_MS, signal });
    return {
      key,
      daemonVersion: key.version,
      backendPipe: endpoint,
      serverCapabilities: 0n,
      handoffEndpoint,
      ...proven,
    };
  }
}
