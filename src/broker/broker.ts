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
  readonly endpoint: string;
  readonly transport: Transport;
  readonly client: Omit<ClientConnectionParts, "transport" | "observe" | "isDraining" | "stop">;
  readonly observe: BrokerObserver;
  readonly connectionsOpenMax: number;
  readonly connectionsMax: number;
  /** Fired by the broker to give up what is still under way when it stops. */
  readonly abort: CancelSource;
}

/** How much a broker has done since it started. */
export interface BrokerCounts {
  readonly connectionsAccepted: number;
  readonly connectionsOpen: number;
}

/** A running broker. Disposing it stops it. */
export class Broker implements AsyncDisposable {
  /** Where clients connect. */
  readonly endpoint: string;
  /** Settles when the broker has stopped, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #parts: BrokerParts;
  readonly #client: ClientConnectionParts;
  readonly #stop = new CancelSource();
  readonly #open = new Set<Promise<void>>();
  #accepted = 0;
  #isDraining = false;
  #listener: LocalListener | undefined;
  #closing: Promise<void> | undefined;
  #settleClosed!: () => void;

  /** Use `serveBroker`. */
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
    this.#listener = await transport.listenPassable(
      endpoint,
      { politeRequest },
      (incoming) => this.#accept(incoming),
    );
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
    if (this.#isDraining || this.#open.size >= connectionsOpenMax) {
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
    await this.#listener?.close();
    await Promise.all(this.#open);
    await this.close();
  }

  async #close(drainDeadlineMs: number): Promise<void> {
    this.#isDraining = true;
    await this.#listener?.close();
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
