import type { CancelSignal } from "../cancel_signal.ts";
import type { HandoffBooks } from "../handoff/ack_wait.ts";
import type { HandoffAttemptFailure } from "../handoff/fallback_reason.ts";
import { HandoffFallbackState } from "../handoff/fallback_state.ts";
import type { HandoffToken } from "../handoff/handoff_token.ts";
import { planRelayHandoff } from "../handoff/relay_frames.ts";
import type { RelayHandoffOutcome, RelayHandoffStage } from "../handoff/relay_plan.ts";
import { decideResidue } from "../handoff/residue_policy.ts";
import { ScmRightsError } from "../handoff/scm_rights_error.ts";
import type { WarmOffer } from "../handoff/warm_offers.ts";
import type { DetachedConnection, Transport } from "../transport/transport.ts";
import { CAPABILITY_EARLY_DATA, CAPABILITY_REPEATABLE } from "../wire/constants.ts";
import { EARLY_DATA_BYTES_MAX } from "../wire/handoff_extension.ts";
import { backendKeyText, type RegisteredBackend } from "./backend_registry.ts";
import type { BrokerObserver } from "./broker_event.ts";
import type { Clock } from "./clock.ts";
import { runRelayHandoff } from "./handoff_driver.ts";
import type { EarlyData, HelloAnswer } from "./hello_handler.ts";
import type { WarmChannel, WarmEnding } from "./warm/warm_channel.ts";
import { WarmChannels } from "./warm/warm_channels.ts";

/** Handoffs with a connection of their own at once: each holds two descriptors until its ACK. */
export const RELAYS_MAX = 64;

/** No Hello has this connection id: the connection that warms a backend up is nobody's. */
const WARM_UP_CORRELATION_ID = 0n;

/** What the handoffs of a broker share. */
export interface HandoffDeskParts {
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** Where tokens and ACKs are booked. */
  readonly books: HandoffBooks;
  /** The monotonic clock of the books, in milliseconds. */
  readonly clock: Clock;
  /** Told how each handoff ends. */
  readonly observe: BrokerObserver;
  /** Fires when the broker stops for good: handoffs under way are given up. */
  readonly abort: CancelSignal;
}

/** A client that was negotiated with and is not read any more. */
export interface NegotiatedClient {
  /** Its connection; closed when it was handed over or could not be. */
  readonly connection: DetachedConnection;
  /** The frame to answer it with. */
  readonly reply: Uint8Array;
  /** What it sent behind its Hello. */
  readonly residue: Uint8Array;
  /** Called once, when the reply has left and its backend, if it is warm, has the offer: nobody waits for it. */
  answered(): void;
}

type Negotiation = Extract<HelloAnswer<RegisteredBackend>, { kind: "negotiated" }>;

/** A handoff with a control connection of its own. */
interface Relay {
  readonly connection: DetachedConnection;
  readonly backend: RegisteredBackend;
  readonly token: HandoffToken;
  readonly correlationId: bigint;
  readonly startMs: number;
}

/** Hands negotiated connections over to their backends, each on its own, and keeps count of what fails. */
export class HandoffDesk {
  readonly #parts: HandoffDeskParts;
  readonly #fallbacks = new HandoffFallbackState();
  readonly #channels: WarmChannels;
  #relays = 0;

  /** Makes a desk without failures to remember. */
  constructor(parts: HandoffDeskParts) {
    this.#parts = parts;
    const { transport, clock, observe, abort: signal } = parts;
    this.#channels = new WarmChannels({
      transport,
      clock,
      observe,
      signal,
      ended: (backend, offer, ending) => this.#settleWarm(backend, offer, ending),
    });
  }

  /**
   * Whether a token for this backend is worth issuing: it takes handoffs, has not failed too often, and takes
   * what its client has sent already. A backend that is not known to take early data is asked, for the next time.
   */
  mayHandOver(backend: RegisteredBackend, { isAnnounced, residueBytes }: EarlyData): boolean {
    const decision = this.#fallbacks.shouldAttempt(backendKeyText(backend.key), {
      clientSupportsHandoff: true,
      servicePolicyEnabled: true,
      fdPressureDisabled: false,
      backendAdoptedExisting: backend.handoffEndpoint === undefined || backend.adopted === true,
    }, this.#parts.clock());
    if (decision.kind !== "attempt" || residueBytes > EARLY_DATA_BYTES_MAX) return false;
    const isWarm = this.#channels.find(backend) !== undefined;
    const residue = decideResidue({
      mode: isWarm ? "direct-ready" : "relay",
      residueBytes,
      isEarlyDataAnnounced: isAnnounced,
      isBackendKnownToTakeResidue: isWarm,
    });
    if (residue.kind === "offer") return isWarm || this.#hasRoom(backend);
    if (isAnnounced && !isWarm && this.#channels.mayBegin(backend)) void this.#warmUp(backend);
    return false;
  }

  #hasRoom({ key: { service, version } }: RegisteredBackend): boolean {
    if (this.#relays < RELAYS_MAX) return true;
    this.#parts.observe({ kind: "handoff-limit", service, version, handoffsPending: this.#relays });
    return false;
  }

  /** Writes the reply, then hands the connection over. The connection is closed when this is done. */
  async handOver(client: NegotiatedClient, negotiation: Negotiation, token: HandoffToken): Promise<void> {
    const { clock, books } = this.#parts;
    const { connection, reply } = client;
    const { backend, negotiated: { connectionId: correlationId } } = negotiation;
    const startMs = clock();
    if (!connection.sendNow(reply).ok) {
      books.tokens.revoke(token);
      client.answered();
      // The client reconnects at once: to it this is a broker that hands nothing over.
      return connection.close();
    }
    const relay = { connection, backend, token, correlationId, startMs };
    const channel = this.#channels.find(backend);
    if (channel !== undefined && this.#offer(channel, relay, client, negotiation)) return;
    client.answered();
    const isEarly = this.#isEarly(negotiation, client.residue);
    if (!isEarly) return this.#settleRelay(await this.#relay(relay), relay);
    // The channel went away since the token was issued. Nobody has the connection: its end says so.
    books.tokens.revoke(token);
    connection.close();
    this.#observeFallback(relay, "Send", undefined, "the handoff channel to the backend is gone");
  }

  #isEarly({ hello }: Negotiation, residue: Uint8Array): boolean {
    return residue.length > 0 || (hello.clientCapabilities & CAPABILITY_EARLY_DATA) !== 0n;
  }

  /** @returns Whether the connection was dealt with; otherwise nothing of it has left. */
  #offer(channel: WarmChannel, relay: Relay, client: NegotiatedClient, { hello }: Negotiation): boolean {
    const { residue } = client;
    const { connection, backend, token, correlationId } = relay;
    const serviceName = backend.key.service;
    const isRepeatable = (hello.clientCapabilities & CAPABILITY_REPEATABLE) !== 0n;
    const passed = channel.offer({ connection, token, correlationId, serviceName, residue, isRepeatable });
    if (!passed.ok && !passed.reachedBackend) return false;
    client.answered();
    this.#parts.books.tokens.revoke(token);
    if (passed.ok) this.#observePassed(relay);
    connection.close();
    if (!passed.ok) this.#fail(relay, new ScmRightsError(passed.kind, passed.detail));
    return true;
  }

  #fail(relay: Relay, error: ScmRightsError): void {
    const failure = error.attemptFailure ?? "BackendAckTimeout";
    this.#fallbacks.recordFailedAttempt(backendKeyText(relay.backend.key), failure, this.#parts.clock());
    this.#observeFallback(relay, "Send", failure, error.detail);
  }

  /** Offers the backend a connection that is nobody's, only to learn whether it keeps a channel open. */
  async #warmUp(backend: RegisteredBackend): Promise<void> {
    const { transport, books, clock } = this.#parts;
    const startMs = clock();
    const issued = books.tokens.issue(startMs);
    if (!issued.ok) return;
    const { token } = issued;
    const correlationId = WARM_UP_CORRELATION_ID;
    try {
      const { passed: connection, kept } = transport.connectionPair();
      await this.#relay({ connection, backend, token, correlationId, startMs }, true).finally(() =>
        kept.close()
      );
    } catch {
      // No descriptors are left, perhaps; clients go on reconnecting, and the next attempt comes in its time.
      books.tokens.revoke(token);
    }
  }

  async #relay(
    relay: Relay,
    keepsControlOpen: boolean = this.#channels.mayBegin(relay.backend),
  ): Promise<RelayHandoffOutcome> {
    const { transport, books, clock, abort: signal } = this.#parts;
    const { connection, backend, token, correlationId, startMs } = relay;
    const handoffEndpoint = backend.handoffEndpoint!;
    const serviceName = backend.key.service;
    const backendPid = backend.identity.pid;
    const registered = books.acks.register(token, { serviceName, backendPid }, startMs);
    const ackDeadlineMs = registered.kind === "registered" ? registered.deadlineMs : startMs;
    const plan = planRelayHandoff({
      token,
      correlationId,
      serviceName,
      ackDeadlineMs,
      residueBytes: 0,
      isEarlyDataAnnounced: false,
      keepsControlOpen,
    });
    this.#relays++;
    try {
      return await runRelayHandoff({
        transport,
        books,
        clock,
        handoffEndpoint,
        backendPid,
        token,
        connection,
        signal,
        plan,
        passed: () => this.#observePassed(relay),
        kept: (control, channelId) => void this.#channels.keep(backend, control, channelId),
      });
    } finally {
      this.#relays--;
    }
  }

  #settleRelay(outcome: RelayHandoffOutcome, relay: Relay): void {
    const { clock, observe } = this.#parts;
    const key = backendKeyText(relay.backend.key);
    if (outcome.kind === "handed-off") {
      this.#fallbacks.recordSuccess(key);
      const { correlationId: connectionId, startMs } = relay;
      return observe({ kind: "handoff-completed", connectionId, durationUs: this.#sinceUs(startMs) });
    }
    const { stage, failure, detail } = outcome;
    if (failure !== undefined) this.#fallbacks.recordFailedAttempt(key, failure, clock());
    this.#observeFallback(relay, stage, failure, detail);
  }

  #settleWarm(backend: RegisteredBackend, offer: WarmOffer, ending: WarmEnding): void {
    const { clock, observe } = this.#parts;
    const key = backendKeyText(backend.key);
    const { correlationId: connectionId, startMs } = offer;
    if (ending.kind === "adopted") {
      this.#fallbacks.recordSuccess(key);
      return observe({ kind: "handoff-completed", connectionId, durationUs: this.#sinceUs(startMs) });
    }
    // A refusal is an answer in time, and may be the client's doing: only silence counts against a backend.
    const failure = ending.kind === "lost" && ending.isCounted ? "BackendAckTimeout" : undefined;
    if (failure !== undefined) this.#fallbacks.recordFailedAttempt(key, failure, clock());
    this.#observeFallback(offer, "AwaitAck", failure, ending.detail);
  }

  #observePassed({ connection, backend, correlationId: connectionId, startMs }: Relay): void {
    this.#parts.observe({
      kind: "connection-passed",
      connectionId,
      native: connection.label,
      handoffEndpoint: backend.handoffEndpoint!,
      durationUs: this.#sinceUs(startMs),
    });
  }

  #observeFallback(
    { correlationId: connectionId, startMs }: Pick<Relay, "correlationId" | "startMs">,
    stage: RelayHandoffStage,
    reason: HandoffAttemptFailure | undefined,
    detail: string,
  ): void {
    const durationUs = this.#sinceUs(startMs);
    this.#parts.observe({ kind: "handoff-fallback", connectionId, stage, reason, detail, durationUs });
  }

  #sinceUs(startMs: number): number {
    return Math.round((this.#parts.clock() - startMs) * 1000);
  }
}
