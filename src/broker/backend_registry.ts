// This module has no I/O.
import type { ProcessIdentity } from "../host/process_start.ts";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";
import type { RoutedBackend } from "./hello_handler.ts";

/** What a backend is found by (protocol 6.7). */
export interface BackendKey {
  /** Broker instance id: `shared`, `private:{service}` or `explicit:{name}`. */
  readonly instanceId: string;
  /** The service, as its definition names it. */
  readonly service: string;
  /** The version, byte for byte as a Hello has to want it. */
  readonly version: string;
}

/** A backend whose identity was verified. */
export interface RegisteredBackend extends RoutedBackend {
  /** What it is found by. */
  readonly key: BackendKey;
  /** What it said of itself when it was verified. */
  readonly identity: DaemonProcess;
  /** Where connections are passed to; `undefined` when it takes none. */
  readonly handoffEndpoint: string | undefined;
  /** The process by number and start, which tells it from a later one with the same number. */
  readonly process: ProcessIdentity;
  /** Launched by an earlier broker: clients reconnect to it, nothing is passed to it (protocol 7.5). */
  readonly adopted?: boolean;
}

/** The text a key is stored under; a NUL is in no name. */
export function backendKeyText(key: BackendKey): string {
  return `${key.instanceId}\0${key.service}\0${key.version}`;
}

/** The key that a text was made from. */
export function backendKeyFromText(text: string): BackendKey {
  const [instanceId = "", service = "", version = ""] = text.split("\0");
  return { instanceId, service, version };
}

/** The backends a broker can send clients to, one a key. */
export class BackendRegistry {
  readonly #backends = new Map<string, RegisteredBackend>();
  readonly #held = new Set<RegisteredBackend>();
  readonly #isAlive: (backend: RegisteredBackend) => boolean;

  /**
   * Makes a registry without backends.
   *
   * @param isAlive Whether a backend's process still is the one that was verified; asked at each lookup.
   */
  constructor(isAlive: (backend: RegisteredBackend) => boolean) {
    this.#isAlive = isAlive;
  }

  /** Adds a backend, in place of one with the same key. */
  insert(backend: RegisteredBackend): void {
    this.#backends.set(backendKeyText(backend.key), backend);
  }

  /** Keeps a backend from being found until it is released: it may be about to end. It stays listed. */
  hold(backend: RegisteredBackend): void {
    this.#held.add(backend);
  }

  /** Lets a backend be found again, if it still is registered. */
  release(backend: RegisteredBackend): void {
    this.#held.delete(backend);
  }

  /** Whether this very backend is registered. */
  has(backend: RegisteredBackend): boolean {
    return this.#backends.get(backendKeyText(backend.key)) === backend;
  }

  /** The live backend of a key, unless it is held; a dead one is removed and returned as `lost`. */
  find(key: BackendKey): { backend?: RegisteredBackend; lost?: RegisteredBackend } {
    const text = backendKeyText(key);
    const backend = this.#backends.get(text);
    if (backend === undefined || this.#held.has(backend)) return {};
    if (this.#isAlive(backend)) return { backend };
    this.#backends.delete(text);
    return { lost: backend };
  }

  /** Removes a backend, unless another one has taken its key. */
  remove(backend: RegisteredBackend): void {
    const text = backendKeyText(backend.key);
    if (this.#backends.get(text) === backend) this.#backends.delete(text);
  }

  /** All backends, dead ones that nobody asked for yet included. */
  list(): RegisteredBackend[] {
    return [...this.#backends.values()];
  }

  /** Whether a backend's process still runs. */
  isAlive(backend: RegisteredBackend): boolean {
    return this.#isAlive(backend);
  }
}
