import process from "node:process";
import { currentDaemonIdentity } from "../host/daemon_identity.ts";
import { readIdentityFile, removeIdentityFile, writeIdentityFile } from "../host/identity_file.ts";
import { loadTransport } from "../transport/load_transport.ts";
import type { LocalListener, LocalStream } from "../transport/local_stream.ts";
import type { Transport } from "../transport/transport.ts";
import { differingIdentityField } from "../wire/daemon_process.ts";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";
import { encodeProbeIdentity, type ProbeIdentity } from "../wire/probe.ts";
import { type ConnectionOrigin, ServedConnection } from "./served_connection.ts";
import type { BackendEvent, BackendObserver } from "./backend_event.ts";
import { ConnectionQueue } from "./connection_queue.ts";
import { awaitFirstBytes } from "./first_bytes.ts";
import { HandoffAcceptor } from "./handoff_acceptor.ts";
import { type BackendPlace, backendPlace, isLeftToBroker } from "./launched_options.ts";

/**
 * What a backend serves, and where.
 *
 * A backend that a broker launches leaves the endpoints out, and may leave out what it is: it was told in its
 * environment. Whoever gives service, version and endpoint is not told anything.
 */
export interface ServeBackendOptions {
  /** Name of the service: 1 to 64 of `a-z`, `0-9` and `-`. @default {as launched} */
  service?: string | undefined;
  /** Version of the service that this process is. @default {as launched} */
  version?: string | undefined;
  /** Where clients connect and brokers ask who we are: on Unix the path of a socket. @default {as launched} */
  endpoint?: string | undefined;
  /** Where brokers pass connections to; without it none are taken. @default {as launched} */
  handoffEndpoint?: string | undefined;
  /** Broker instance that this backend belongs to (protocol 3.7). @default {as launched, else `private:${service}`} */
  namespace?: string | undefined;
  /** File to announce this process in, for brokers that are told to expect it (protocol 8.3). */
  identityFile?: string | undefined;
  /** Seconds without work after which this process intends to end; announced, not acted on. */
  idleTimeoutSecs?: number | undefined;
  /** Told what happens; must not throw. */
  observe?: BackendObserver | undefined;
}

/**
 * Serves connections as the backend of a service.
 *
 * Clients reach it by dialling `endpoint` or by a broker that passes their connection; both kinds come out
 * of the same iterator, each as soon as its first bytes are there. A backend therefore never speaks first.
 * Identity probes of brokers are answered on the way (protocol 8).
 *
 * Requires `--allow-read`, `--allow-write`, `--allow-net`, `--allow-sys` and, to take passed connections,
 * `--allow-ffi` in Deno. Without native calls it serves its endpoint only and says so by an event.
 *
 * @example Usage
 * ```ts
 * import { serveBackend } from "@running-process/broker";
 *
 * const folder = Deno.makeTempDirSync();
 * await using backend = await serveBackend({
 *   service: "my-daemon",
 *   version: "1.2.3",
 *   endpoint: `${folder}/backend.sock`,
 *   handoffEndpoint: `${folder}/handoff.sock`,
 * });
 * setTimeout(() => backend.close(), 10);
 * for await (const connection of backend) {
 *   connection.readable.pipeTo(connection.writable);
 * }
 * ```
 *
 * @param options What is served, and where.
 * @returns The backend, listening. Disposing it stops it.
 * @throws {BrokerError} With code "config" when an endpoint is taken, too long or not in a private directory.
 */
export async function serveBackend(options: ServeBackendOptions): Promise<Backend> {
  const transport = await loadTransport();
  const environment = isLeftToBroker(options) ? process.env : {};
  const backend = new Backend(transport, { ...options, ...backendPlace(options, environment) });
  try {
    await backend.listen();
  } catch (error) {
    await backend.close();
    throw error;
  }
  return backend;
}

/** A running backend; iterate it for its connections. */
export class Backend implements AsyncIterable<ServedConnection>, AsyncDisposable {
  /** Where clients connect: on Unix the path of a socket. */
  readonly endpoint: string;
  readonly #transport: Transport;
  readonly #options: ServeBackendOptions & BackendPlace;
  readonly #observe: BackendObserver;
  readonly #queue = new ConnectionQueue<ServedConnection>();
  readonly #silent = new Set<LocalStream>();
  readonly #listeners: LocalListener[] = [];
  readonly #acceptor: HandoffAcceptor;
  #identity!: Promise<DaemonProcess>;
  #probeIdentity!: Promise<ProbeIdentity>;
  #announced: DaemonProcess | undefined;
  #closing: Promise<void> | undefined;

  /** Use {@linkcode serveBackend}. */
  constructor(transport: Transport, options: ServeBackendOptions & BackendPlace) {
    this.endpoint = options.endpoint;
    this.#transport = transport;
    this.#options = options;
    this.#observe = options.observe ?? (() => {});
    this.#acceptor = new HandoffAcceptor({
      ownUser: transport.ownUser,
      observe: this.#observe,
      adopted: (stream) => void this.#serve(stream, "handoff"),
    });
  }

  /** Who this process is to brokers. */
  get identity(): Promise<DaemonProcess> {
    return this.#identity;
  }

  /** Connections as they get their first bytes; ends when the backend is closed. */
  [Symbol.asyncIterator](): AsyncIterator<ServedConnection> {
    return { next: () => this.#queue.next() };
  }

  /** Binds the endpoints; part of {@linkcode serveBackend}. */
  async listen(): Promise<void> {
    const { endpoint, handoffEndpoint, namespace, identityFile } = this.#options;
    this.#identity = currentDaemonIdentity({
      endpoint: { namespaceId: namespace, path: endpoint },
      idleTimeoutSecs: this.#options.idleTimeoutSecs,
    });
    this.#probeIdentity = this.#identity.then(encodeProbeIdentity);
    // Whoever needs them sees the failure; until then it is nobody's.
    this.#probeIdentity.catch(() => {});
    // First, since a broker looks for it as soon as the other one answers.
    if (handoffEndpoint !== undefined) await this.#listenForHandoffs(handoffEndpoint);
    const onStream = (stream: LocalStream) => void this.#serve(stream, "endpoint");
    this.#listeners.push(await this.#transport.listen(endpoint, {}, onStream));
    this.#observe({ kind: "listening", endpoint, purpose: "connections" });
    const identity = await this.#identity;
    if (identityFile === undefined) return;
    await writeIdentityFile(identityFile, identity);
    this.#announced = identity;
  }

  /** Stops accepting, drops connections that nobody took yet, and removes the endpoint names. Idempotent. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Stops the backend; see {@linkcode Backend.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listenForHandoffs(endpoint: string): Promise<void> {
    const { nativeMissing } = this.#transport;
    if (nativeMissing !== undefined) return this.#observe({ kind: "no-handoffs", detail: nativeMissing });
    const listener = await this.#transport.listenControl(
      endpoint,
      {},
      (control) => void this.#acceptor.accept(control),
    );
    this.#listeners.push(listener);
    this.#observe({ kind: "listening", endpoint, purpose: "handoffs" });
  }

  async #serve(stream: LocalStream, origin: ConnectionOrigin): Promise<void> {
    this.#silent.add(stream);
    try {
      const first = await awaitFirstBytes(
        stream,
        this.#probeIdentity,
        () => this.#observe({ kind: "probe-answered" }),
      );
      if (first !== "payload") return this.#drop(stream, origin, first);
      this.#observe({ kind: "connection", origin });
      this.#queue.push(new ServedConnection(stream, origin));
    } catch (error) {
      this.#drop(stream, origin, (error as Error).message);
    } finally {
      this.#silent.delete(stream);
    }
  }

  #drop(stream: LocalStream, origin: ConnectionOrigin, detail: string): void {
    stream.close();
    const event: BackendEvent = { kind: "connection-unused", origin, detail };
    this.#observe(event);
  }

  async #close(): Promise<void> {
    this.#acceptor.stop();
    try {
      await Promise.all(this.#listeners.map((listener) => listener.close()));
    } finally {
      for (const stream of this.#silent) stream.close();
      this.#queue.end();
      await this.#withdraw();
    }
  }

  /** Removes the announcement, unless another process has announced itself in its place. */
  async #withdraw(): Promise<void> {
    const { identityFile } = this.#options;
    const announced = this.#announced;
    if (identityFile === undefined || announced === undefined) return;
    const found = await readIdentityFile(identityFile);
    if (found === undefined || found.startedAtUnixMs !== announced.startedAtUnixMs) return;
    if (differingIdentityField(found, announced) === undefined) await removeIdentityFile(identityFile);
  }
}
