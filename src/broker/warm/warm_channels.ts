import type { CancelSignal } from "../../cancel_signal.ts";
import type { WarmOffer } from "../../handoff/warm_offers.ts";
import type { ControlConnection, Transport } from "../../transport/transport.ts";
import { backendKeyText, type RegisteredBackend } from "../backend_registry.ts";
import type { BrokerObserver } from "../broker_event.ts";
import type { Clock } from "../clock.ts";
import { pairDoorbell } from "./pair_channel.ts";
import { WarmChannel, type WarmEnding } from "./warm_channel.ts";

/** Milliseconds before a backend that could not be warmed up is tried again. */
export const WARM_RETRY_MS = 30_000;

/** What the channels of a broker share. */
export interface WarmChannelsParts {
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** The broker's monotonic clock, in milliseconds. */
  readonly clock: Clock;
  /** Told how each offer ended. */
  readonly ended: (backend: RegisteredBackend, offer: WarmOffer, ending: WarmEnding) => void;
  /** Told of channels that open and close. */
  readonly observe: BrokerObserver;
  /** Fires when the broker stops for good. */
  readonly signal: CancelSignal;
}

/** What is known of a backend process: whether it takes a channel, and the channel. */
interface Entry {
  readonly pid: number;
  channel: WarmChannel | undefined;
  /** No attempt before this time. */
  quietUntilMs: number;
}

/** The warm channels of a broker, one a backend process. */
export class WarmChannels {
  readonly #parts: WarmChannelsParts;
  readonly #entries = new Map<string, Entry>();

  /** Makes none yet. They end when the broker's signal fires. */
  constructor(parts: WarmChannelsParts) {
    this.#parts = parts;
    parts.signal.addEventListener("abort", () => this.close(), { once: true });
  }

  /** The channel to a backend, if it can take an offer now. */
  find(backend: RegisteredBackend): WarmChannel | undefined {
    const channel = this.#entry(backend).channel;
    return channel?.canTake === true ? channel : undefined;
  }

  /** Whether to begin warming a backend up; true once, until it has failed and some time has passed. */
  mayBegin(backend: RegisteredBackend): boolean {
    const entry = this.#entry(backend);
    const nowMs = this.#parts.clock();
    if (entry.channel !== undefined || nowMs < entry.quietUntilMs) return false;
    entry.quietUntilMs = nowMs + WARM_RETRY_MS;
    return true;
  }

  /** Takes over a control connection that its backend wants to keep, and pairs it. Never rejects. */
  async keep(backend: RegisteredBackend, passing: ControlConnection, channelId: Uint8Array): Promise<void> {
    const known = this.#entries.get(backendKeyText(backend.key));
    // A later process of this backend may be known by now: its channel is not to end for this one.
    if (known !== undefined && known.pid !== backend.identity.pid) return passing.close();
    const entry = this.#entry(backend);
    if (entry.channel !== undefined || this.#parts.signal.aborted) return passing.close();
    const { transport, clock, signal, ended } = this.#parts;
    const { handoffEndpoint, identity } = backend;
    try {
      const backendPid = identity.pid;
      const request = { transport, handoffEndpoint: handoffEndpoint!, backendPid, channelId, signal };
      const doorbell = await pairDoorbell(request);
      const isLate = signal.aborted || this.#entries.get(backendKeyText(backend.key)) !== entry;
      if (isLate || entry.channel !== undefined) return void (passing.close(), doorbell.close());
      entry.channel = new WarmChannel({
        passing,
        doorbell,
        clock,
        ended: (offer, ending) => ended(backend, offer, ending),
        closed: (detail) => this.#forget(backend, entry, detail),
      });
      this.#parts.observe({ kind: "handoff-channel", ...nameOf(backend) });
    } catch {
      // It goes on taking one offer a connection; the next attempt is due when `mayBegin` says so.
      passing.close();
    }
  }

  /** Ends them all. */
  close(): void {
    for (const { channel } of this.#entries.values()) channel?.close("the broker stops");
    this.#entries.clear();
  }

  #forget(backend: RegisteredBackend, entry: Entry, detail: string): void {
    entry.channel = undefined;
    this.#parts.observe({ kind: "handoff-channel-lost", ...nameOf(backend), detail });
    const key = backendKeyText(backend.key);
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  /** A channel of an earlier process of the same backend is of no use. */
  #entry(backend: RegisteredBackend): Entry {
    const key = backendKeyText(backend.key);
    const known = this.#entries.get(key);
    if (known?.pid === backend.identity.pid) return known;
    known?.channel?.close("the backend was replaced");
    const entry = { pid: backend.identity.pid, channel: undefined, quietUntilMs: -Infinity };
    this.#entries.set(key, entry);
    return entry;
  }
}

function nameOf({ key: { service, version }, identity: { pid } }: RegisteredBackend) {
  return { service, version, pid };
}
