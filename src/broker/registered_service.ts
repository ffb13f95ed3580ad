import type { CancelSignal } from "../cancel_signal.ts";
import type { ExecutableHasher } from "../host/executable.ts";
import { isProcessAliveSync } from "../host/process_identity.ts";
import { PROBE_DEADLINE_MS } from "../transport/ask_identity.ts";
import type { Transport } from "../transport/transport.ts";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";
import type { ServiceDefinition } from "../wire/gen/broker_v1_service_def_pb.ts";
import { proveBackend } from "./backend_probe.ts";
import { type BackendKey, backendKeyText, type RegisteredBackend } from "./backend_registry.ts";

/** A backend that a broker is told about when it starts (protocol 6.1, registered mode). */
export interface BackendRegistration {
  readonly service: string;
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
  readonly transport: Transport;
  readonly hasher: ExecutableHasher;
  readonly registration: BackendRegistration;
  readonly signal: CancelSignal;
}

/** The one backend of a broker in registered mode: verified at start, and again when its process was replaced. */
export class RegisteredService {
  readonly #parts: RegisteredServiceParts;
  readonly #verifying = new Map<string, Promise<RegisteredBackend>>();

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

/** Whether a backend's process still is the one that was verified. */
export function isBackendAlive(backend: RegisteredBackend): boolean {
  return isProcessAliveSync(backend.process);
}
