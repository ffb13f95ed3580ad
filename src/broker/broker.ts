import { CancelSource } from "../cancel_signal.ts";
import { BrokerError } from "../errors.ts";
import type { LocalListener } from "../transport/local_stream.ts";
import type { IncomingConnection, Transport } from "../transport/transport.ts";
import { encodeAdminRequest } from "../wire/admin_frames.ts";
import { AdminVerb } from "../wire/gen/broker_v1_admin_pb.ts";
import type { BrokerObserver } from "./broker_event.ts";
import { type ClientConnectionParts, serveClient } from "./client_connection.ts";
import { DRAIN_DEADLINE_MS_DEFAULT } from "./serve_broker_options.ts";

/** What a broker is made of, besides its listener. */
export interface BrokerParts {
  /** Where clients connect: on Unix the path of a socket. */
  readonly endpoint: string;
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** What serving a client needs besides what the broker adds itself. */
  readonly client: Omit<ClientConnectionParts, "transport" | "observe" | "isDraining" | "stop">;
  /** Told what happens. */
  readonly observe: BrokerObserver;
  /** Clients served at once; beyond it new ones are closed unread. */
  readonly connectionsOpenMax: number;
  /** Clients served altogether; the broker stops after the last one. */
  readonly connectionsMax: number;
  /** Fired by the broker to give up what is still under way when it stops. */
  readonly abort: CancelSource;
}

/** How much a broker has done since it started. */
export interface BrokerCounts {
  /** Clients accepted so far; those closed because too many were open do not count. */
  readonly connectionsAccepted: number;
  /** Clients being served now, handoffs under way included. */
  readonly connectionsOpen: number;
}

/** A running broker. Disposing it stops it. */
export class Broker implements AsyncDisposable {
  /** Where clients connect: on Unix the path of a socket. */
  readonly endpoint: string;
  /** Settles when the broker has stopped, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #parts: BrokerParts;
  readonly #client: ClientConnectionParts;
  readonly #stop = new CancelSource();
  readonly #open = new Set<Promise<void>>();
  #accepted = 0;
  #isDraining = false;
  #listener: Promise<LocalListener> | undefined;
  #closing: Promise<void> | undefined;
  #settleClosed!: () => void;

  /** Makes a broker that does not listen yet; `serveBroker` does it all. */
  constructor(parts: BrokerParts) {
    this.endpoint = parts.endpoint;
    this.#parts = parts;
    this.closed = new Promise((resolve) => this.#settleClosed = resolve);
    const { transport, observe } = parts;
    const isDraining = () => this.#isDraining;
    this.#client = { ...parts.client, transport, observe, isDraining, stop: this.#stop };
  }

  /** What the broker has done so far. */
  get counts(): BrokerCounts {
    return { connectionsAccepted: this.#accepted, connectionsOpen: this.#open.size };
  }

  /** Whether Hellos are answered, and not refused because the broker stops. */
  get isAcceptingHello(): boolean {
    return !this.#isDraining;
  }

  /** Binds the endpoint; part of `serveBroker`. */
  async listen(): Promise<void> {
    const { transport, endpoint, observe } = this.#parts;
    const politeRequest = encodeAdminRequest({ verb: AdminVerb.HEALTHZ });
    this.#listener = transport.listenPassable(
      endpoint,
      { politeRequest },
      (incoming) => this.#accept(incoming),
    );
    await this.#listener;
    observe({ kind: "listening", endpoint });
  }

  /**
   * Stops: accepts nothing more, refuses Hellos that are still read, waits for handoffs under way, and
   * removes the endpoint name if it still is this broker's. Idempotent.
   *
   * @param options `drainDeadlineMs`: how long to wait for what is under way. @default {10000}
   */
  close(options: { drainDeadlineMs?: number } = {}): Promise<void> {
    return this.#closing ??= this.#close(options.drainDeadlineMs ?? DRAIN_DEADLINE_MS_DEFAULT);
  }

  /** Stops the broker; see {@linkcode Broker.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(incoming: IncomingConnection): void {
    const { connectionsOpenMax, connectionsMax, observe } = this.#parts;
    const isEnough = this.#accepted >= connectionsMax;
    if (this.#isDraining || isEnough || this.#open.size >= connectionsOpenMax) {
      incoming.close();
      return observe({ kind: "connection-limit", peer: incoming.peer, connectionsOpen: this.#open.size });
    }
    this.#accepted++;
    const serving = serveClient(this.#client, incoming).finally(() => this.#open.delete(serving));
    this.#open.add(serving);
    if (this.#accepted >= connectionsMax) void this.#finishLast();
  }

  /** The last connection that was asked for is served to its end before anything is given up. */
  async #finishLast(): Promise<void> {
    await this.#closeListener().catch(() => {/* told by close() */});
    await Promise.all(this.#open);
    await this.close().catch(() => {/* told to whoever closes or disposes this broker */});
  }

  /** The first client may be there before the listener says that it listens. */
  async #closeListener(): Promise<void> {
    const listener = await this.#listener?.catch(() => undefined);
    await listener?.close();
  }

  async #close(drainDeadlineMs: number): Promise<void> {
    this.#isDraining = true;
    try {
      await this.#closeListener();
    } finally {
      await this.#drain(drainDeadlineMs);
    }
  }

  async #drain(drainDeadlineMs: number): Promise<void> {
    this.#stop.abort(new BrokerError("closed", "The broker stops"));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, drainDeadlineMs));
    await Promise.race([Promise.all(this.#open), late]);
    clearTimeout(timer);
    this.#parts.abort.abort(new BrokerError("closed", "The broker has stopped"));
    await Promise.all(this.#open);
    this.#settleClosed();
  }
}
