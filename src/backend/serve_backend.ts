import process from "node:process";
import { currentDaemonIdentity } from "../host/daemon_identity.ts";
import { readIdentityFile, removeIdentityFile, writeIdentityFile } from "../host/identity_file.ts";
import { loadTransport } from "../transport/load_transport.ts";
import type { LocalListener, LocalStream } from "../transport/local_stream.ts";
import type { Transport } from "../transport/transport.ts";
import { startUnrefTimer } from "../unref_timer.ts";
import type { BackendOrder, OrderAnswer, QuiesceReason } from "../wire/backend_order.ts";
import { differingIdentityField } from "../wire/daemon_process.ts";
import type { DaemonProcess } from "../wire/gen/broker_v1_manifest_pb.ts";
import { encodeProbeIdentity, type ProbeIdentity } from "../wire/probe.ts";
import { type ConnectionOrigin, ServedConnection } from "./served_connection.ts";
import type { BackendEvent, BackendObserver } from "./backend_event.ts";
import { BackendOrders } from "./backend_orders.ts";
import { makeBrokerCheck } from "./broker_check.ts";
import { ConnectionQueue } from "./connection_queue.ts";
import { awaitFirstBytes, type TakeOrder } from "./first_bytes.ts";
import { HandoffAcceptor } from "./handoff_acceptor.ts";
import { IdleEnd } from "./idle_end.ts";
import {
  type BackendPlace,
  backendPlace,
  isLeftToBroker,
  type LaunchingBroker,
  launchingBroker,
} from "./launched_options.ts";
import { OpenConnections } from "./open_connections.ts";
import type { ServeBackendOptions } from "./serve_backend_options.ts";

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
 * @throws {BrokerError} With code "endpoint-taken" when somebody serves an endpoint already, "config" when one is
 *   too long or not in a private directory.
 */
export async function serveBackend(options: ServeBackendOptions): Promise<Backend> {
  const transport = await loadTransport();
  const environment = isLeftToBroker(options) ? process.env : {};
  const place = backendPlace(options, environment);
  const backend = new Backend(transport, { ...options, ...place }, launchingBroker(environment));
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
  readonly #open = new OpenConnections((count) => this.#idleEnd?.changed(count));
  readonly #orders: BackendOrders;
  readonly #launchedBy: LaunchingBroker | undefined;
  #idleEnd: IdleEnd | undefined;
  #stopping: Promise<void> | undefined;
  #identity!: Promise<DaemonProcess>;
  #probeIdentity!: Promise<ProbeIdentity>;
  #announced: DaemonProcess | undefined;
  #closing: Promise<void> | undefined;

  /** Use {@linkcode serveBackend}. */
  constructor(
    transport: Transport,
    options: ServeBackendOptions & BackendPlace,
    launchedBy?: LaunchingBroker,
  ) {
    this.#launchedBy = launchedBy;
    this.endpoint = options.endpoint;
    this.#transport = transport;
    this.#options = options;
    this.#observe = options.observe ?? (() => {});
    const checkBroker = makeBrokerCheck(transport, launchedBy);
    this.#acceptor = new HandoffAcceptor({
      checkBroker,
      observe: this.#observe,
      adopted: (stream) => void this.#serve(stream, "handoff"),
    });
    this.#orders = new BackendOrders({
      checkBroker,
      connectionsOpen: (besides) => this.#open.count(besides),
      quiesce: (order, besides) => this.#quiesceOrdered(order, besides),
      onReleaseHandles: options.onReleaseHandles,
      observe: this.#observe,
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
    this.#listeners.push(
      await this.#transport.listen(endpoint, {}, (stream, peer) => {
        void this.#serve(stream, "endpoint", (frame) => this.#orders.answer(frame, stream, peer));
      }),
    );
    this.#observe({ kind: "listening", endpoint, purpose: "connections" });
    this.#endWhenForgotten();
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
      (control) => {
        const over = this.#open.beginHandoff();
        void this.#acceptor.accept(control).finally(over);
      },
    );
    this.#listeners.push(listener);
    this.#observe({ kind: "listening", endpoint, purpose: "handoffs" });
  }

  async #serve(stream: LocalStream, origin: ConnectionOrigin, takeOrder?: TakeOrder): Promise<void> {
    this.#open.add(stream);
    this.#silent.add(stream);
    try {
      const first = await awaitFirstBytes(
        stream,
        this.#probeIdentity,
        () => this.#observe({ kind: "probe-answered" }),
        takeOrder,
      );
      if (first === "order") return stream.close();
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

  /** Stops accepting and ends when the connections are over, if an order's condition holds. */
  async #quiesceOrdered(
    { reason, onlyIfIdle = false }: Extract<BackendOrder, { kind: "Quiesce" }>,
    besides: LocalStream,
  ): Promise<OrderAnswer> {
    const connectionsOpen = this.#open.count(besides);
    if (onlyIfIdle && connectionsOpen > 0) {
      return { accepted: false, detail: "it has connections", connectionsOpen };
    }
    await this.#quiesce(reason);
    // Whoever was let in meanwhile is served.
    return { accepted: true, detail: "", connectionsOpen: this.#open.count(besides) };
  }

  async #quiesce(reason: QuiesceReason): Promise<void> {
    if (this.#stopping === undefined) this.#observe({ kind: "quiesced", reason });
    await this.#stopAccepting().catch(() => {/* told to whoever closes or disposes this backend */});
    void this.#open.untilEmpty().then(() => this.close()).catch(() => {/* as above */});
  }

  /** A launched backend whose broker is gone is nobody's to end but its own. */
  #endWhenForgotten(): void {
    const { idleTimeoutSecs } = this.#options;
    if (this.#launchedBy === undefined || idleTimeoutSecs === undefined || this.#stopping !== undefined) {
      return;
    }
    this.#idleEnd = new IdleEnd(idleTimeoutSecs, () => void this.#quiesce("IdleTimeout"), startUnrefTimer);
    this.#idleEnd.changed(this.#open.count());
  }

  #stopAccepting(): Promise<void> {
    this.#idleEnd?.stop();
    return this.#stopping ??= Promise.all(this.#listeners.map((listener) => listener.close()))
      .then(() => {}).finally(() => this.#withdraw());
  }

  async #close(): Promise<void> {
    this.#acceptor.stop();
    try {
      await this.#stopAccepting();
    } finally {
      for (const stream of this.#silent) stream.close();
      this.#queue.end();
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
