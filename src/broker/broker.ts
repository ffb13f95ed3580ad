import { CancelSource } from "../cancel_signal.ts";
import { BrokerError } from "../errors.ts";
import type { LocalListener, PublishedListener } from "../transport/local_stream.ts";
import type { IncomingConnection, Transport } from "../transport/transport.ts";
import { encodeAdminRequest } from "../wire/admin_frames.ts";
import { AdminVerb } from "../wire/gen/broker_v1_admin_pb.ts";
import type { BackendOrder } from "../wire/backend_order.ts";
import type { BrokerObserver } from "./broker_event.ts";
import { type ClientConnectionParts, serveClient } from "./client_connection.ts";
import { type Admission, ConnectionLimits } from "./limits/connection_limits.ts";
import { Deadline } from "./limits/deadline.ts";
import { DESCRIPTORS_KEPT, FdWatch } from "./limits/fd_watch.ts";
import { OpenConnections } from "./limits/open_connections.ts";
import { isPeerAllowed } from "./peer_policy.ts";
import { type BroadcastOptions, type BroadcastReport, emptyBroadcast } from "./lifecycle/broadcast.ts";
import { DRAIN_DEADLINE_MS_DEFAULT } from "./serve_broker_options.ts";

/** What a broker is made of, besides its listener. */
export interface BrokerParts {
  /** Where clients connect: on Unix the path of a socket. */
  readonly endpoint: string;
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** What serving a client needs besides what the broker adds itself. */
  readonly client: Omit<
    ClientConnectionParts,
    "transport" | "observe" | "isDraining" | "stop" | "fdPressure"
  >;
  /** Told what happens. */
  readonly observe: BrokerObserver;
  /** Clients served at once; beyond it Hellos are refused, and beyond that clients are closed unread. */
  readonly connectionsOpenMax: number;
  /** Clients of one process served at once. @default {without limit of its own} */
  readonly connectionsPerProcessMax?: number | undefined;
  /** Clients served altogether; the broker stops after the last one. */
  readonly connectionsMax: number;
  /** Fired by the broker to give up what is still under way when it stops. */
  readonly abort: CancelSource;
  /** Gives all backends an order; `undefined` where there are none. */
  readonly broadcast?:
    | ((order: BackendOrder, options: BroadcastOptions) => Promise<BroadcastReport>)
    | undefined;
  /** Says beside the endpoint what this broker understands. @returns Takes that back; does not reject. */
  readonly announce?: (() => Promise<() => Promise<void>>) | undefined;
}

/** How much a broker has done since it started. */
export interface BrokerCounts {
  /** Clients accepted so far; those closed unread because too many were open do not count. */
  readonly connectionsAccepted: number;
  /** Clients being served now, handoffs under way included. */
  readonly connectionsOpen: number;
}

/** Milliseconds that a client has for its first frame whose Hello is refused anyway: others wait for its place. */
const REFUSED_FIRST_FRAME_DEADLINE_MS = 1_000;

type Listener = LocalListener & Partial<PublishedListener>;

/** A running broker. Disposing it stops it. */
export class Broker implements AsyncDisposable {
  /** Where clients connect: on Unix the path of a socket. */
  readonly endpoint: string;
  /** Settles when the broker has stopped, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #parts: BrokerParts;
  readonly #limits: ConnectionLimits;
  readonly #stop = new CancelSource();
  readonly #open = new OpenConnections();
  readonly #drain = new Deadline();
  #client!: ClientConnectionParts;
  #fdWatch: FdWatch | undefined;
  #accepted = 0;
  #isDraining = false;
  #listener: Promise<Listener> | undefined;
  #withdraw: (() => Promise<void>) | undefined;
  #closing: Promise<void> | undefined;
  #settleClosed!: () => void;

  /** Makes a broker that does not listen yet; `serveBroker` does it all. */
  constructor(parts: BrokerParts) {
    this.endpoint = parts.endpoint;
    this.#parts = parts;
    this.#limits = new ConnectionLimits({
      openMax: parts.connectionsOpenMax,
      perProcessMax: parts.connectionsPerProcessMax ?? Infinity,
    });
    this.closed = new Promise((resolve) => this.#settleClosed = resolve);
  }

  /** What the broker has done so far. */
  get counts(): BrokerCounts {
    return { connectionsAccepted: this.#accepted, connectionsOpen: this.#open.size };
  }

  /** Whether Hellos are answered, and not refused because the broker stops or is short of descriptors. */
  get isAcceptingHello(): boolean {
    return !this.#isDraining && !this.isFdPressureDemoted;
  }

  /** Whether Hellos are refused because descriptors ran out (protocol 6.9). */
  get isFdPressureDemoted(): boolean {
    return this.#fdWatch?.guard.isDemoted ?? false;
  }

  /**
   * Gives all live backends an order, and each of them 5 s to answer (protocol 6.14). Backends that end on it get
   * no more clients; whoever asks for them then is served by fresh ones where this broker launches. Backends that
   * are not served by this package know no orders.
   *
   * @param order What to do.
   * @param options Another deadline; a signal.
   * @returns What each backend has said. One that fails does not keep the others from being asked.
   */
  async broadcast(order: BackendOrder, options: BroadcastOptions = {}): Promise<BroadcastReport> {
    return await this.#parts.broadcast?.(order, options) ?? emptyBroadcast(order);
  }

  /** Open descriptors in parts of their limit, from 0 to 1; 0 where the limit is not known. */
  get fdUsageRatio(): number {
    return this.#fdWatch?.usedRatio ?? 0;
  }

  /** Binds the endpoint; part of `serveBroker`. */
  async listen(): Promise<void> {
    const { transport, endpoint, observe } = this.#parts;
    const politeRequest = encodeAdminRequest({ verb: AdminVerb.HEALTHZ });
    const shed = () => this.#open.closeOldestSilent();
    const reserve = transport.keepDescriptors?.(DESCRIPTORS_KEPT);
    if (reserve !== undefined) this.#fdWatch = new FdWatch({ reserve, observe, shed });
    const isDraining = () => this.#isDraining;
    const fdPressure = this.#fdWatch?.guard;
    this.#client = { ...this.#parts.client, transport, observe, isDraining, stop: this.#stop, fdPressure };
    try {
      this.#listener = transport.listenPassable(
        endpoint,
        { politeRequest, onAcceptError: (code) => this.#fdWatch?.acceptFailed(code) },
        (incoming) => this.#accept(incoming),
      );
      const listener = await this.#listener;
      this.#fdWatch?.start(listener);
    } catch (error) {
      this.#fdWatch?.stop();
      throw error;
    }
    this.#withdraw = await this.#parts.announce?.();
    observe({ kind: "listening", endpoint });
  }

  /**
   * Stops: refuses new Hellos (code 5) while what is under way, handoffs above all, has its time to end, then
   * removes the endpoint name if it still is this broker's and drops who has said nothing yet.
   *
   * Idempotent; a later call can only shorten the time.
   *
   * @param options `drainDeadlineMs`: how long to wait for what is under way. @default {10000}
   */
  close(options: { drainDeadlineMs?: number } = {}): Promise<void> {
    const deadlineMs = options.drainDeadlineMs ?? DRAIN_DEADLINE_MS_DEFAULT;
    this.#drain.within(deadlineMs);
    return this.#closing ??= this.#close(deadlineMs);
  }

  /** Stops the broker; see {@linkcode Broker.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(incoming: IncomingConnection): void {
    this.#fdWatch?.accepted(incoming.number);
    if (this.#accepted >= this.#parts.connectionsMax) {
      return this.#turnAway(incoming, { kind: "close", limit: "connections-total" });
    }
    // A stranger is dropped at once, and takes nobody's place.
    const { client: { peerPolicy = "owner-only" }, transport } = this.#parts;
    const pid = isPeerAllowed(peerPolicy, incoming.peer, transport.ownUser) ? incoming.peer.pid : 0;
    const { admission, leave } = this.#limits.admit(pid, this.#fdWatch?.isPressed ?? false);
    if (admission.kind !== "serve") this.#turnAway(incoming, admission);
    if (admission.kind === "close") return;
    this.#accepted++;
    const terms = admission.kind === "serve"
      ? {}
      : { refusal: admission.refusal, firstFrameDeadlineMs: REFUSED_FIRST_FRAME_DEADLINE_MS };
    this.#open.add(
      incoming,
      (hasSpoken) => serveClient(this.#client, incoming, { ...terms, hasSpoken }).finally(leave),
    );
    if (this.#accepted >= this.#parts.connectionsMax) void this.#finishLast();
  }

  #turnAway(incoming: IncomingConnection, admission: Exclude<Admission, { kind: "serve" }>): void {
    const { kind, limit } = admission;
    if (kind === "close") incoming.close();
    this.#parts.observe({
      kind: "connection-limit",
      peer: incoming.peer,
      limit,
      isAnswered: kind === "refuse",
      connectionsOpen: this.#open.size,
    });
  }

  /** The last connection that was asked for is served to its end before anything is given up. */
  async #finishLast(): Promise<void> {
    await this.#closeListener().catch(() => {/* told by close() */});
    await this.#open.allEnd();
    await this.close().catch(() => {/* told to whoever closes or disposes this broker */});
  }

  /** The first client may be there before the listener says that it listens. */
  async #closeListener(): Promise<void> {
    const listener = await this.#listener?.catch(() => undefined);
    await this.#withdraw?.();
    await listener?.close();
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    this.#parts.observe({ kind: "draining", connectionsOpen: this.#open.size, deadlineMs });
    await Promise.race([this.#open.spokenEnd(), this.#drain.reached]);
    try {
      await this.#closeListener();
    } finally {
      await this.#giveUp();
    }
  }

  async #giveUp(): Promise<void> {
    this.#stop.abort(new BrokerError("closed", "The broker stops"));
    await Promise.race([this.#open.allEnd(), this.#drain.reached]);
    this.#drain.clear();
    this.#parts.abort.abort(new BrokerError("closed", "The broker has stopped"));
    await this.#open.allEnd();
    this.#fdWatch?.stop();
    this.#settleClosed();
  }
}
