import type { CancelSignal } from "../cancel_signal.ts";
import type { HandoffBooks } from "../handoff/ack_wait.ts";
import { HandoffFallbackState } from "../handoff/fallback_state.ts";
import type { HandoffToken } from "../handoff/handoff_token.ts";
import { planRelayHandoff } from "../handoff/relay_frames.ts";
import type { RelayHandoffOutcome } from "../handoff/relay_plan.ts";
import type { DetachedConnection, Transport } from "../transport/transport.ts";
import { backendKeyText, type RegisteredBackend } from "./backend_registry.ts";
import type { BrokerObserver } from "./broker_event.ts";
import type { Clock } from "./clock.ts";
import { runRelayHandoff } from "./handoff_driver.ts";
import type { HelloAnswer } from "./hello_handler.ts";

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

type Negotiation = Extract<HelloAnswer<RegisteredBackend>, { kind: "negotiated" }>;

/** Hands negotiated connections over to their backends, each on its own, and keeps count of what fails. */
export class HandoffDesk {
  readonly #parts: HandoffDeskParts;
  readonly #fallbacks = new HandoffFallbackState();

  /** Makes a desk without failures to remember. */
  constructor(parts: HandoffDeskParts) {
    this.#parts = parts;
  }

  /** Whether a token for this backend is worth issuing: it takes handoffs and has not failed too often. */
  mayHandOver(backend: RegisteredBackend): boolean {
    const decision = this.#fallbacks.shouldAttempt(backendKeyText(backend.key), {
      clientSupportsHandoff: true,
      servicePolicyEnabled: true,
      fdPressureDisabled: false,
      backendAdoptedExisting: backend.handoffEndpoint === undefined,
    }, this.#parts.clock());
    return decision.kind === "attempt";
  }

  /** Writes the reply, then hands the connection over. The connection is closed when this is done. */
  async handOver(
    connection: DetachedConnection,
    reply: Uint8Array,
    negotiation: Negotiation,
    token: HandoffToken,
  ): Promise<void> {
    const { books, clock } = this.#parts;
    const startMs = clock();
    const { service } = negotiation.backend.key;
    const backendPid = negotiation.backend.identity.pid;
    const registered = books.acks.register(token, { serviceName: service, backendPid }, startMs);
    const sent = connection.sendNow(reply);
    if (registered.kind !== "registered" || !sent.ok) {
      books.acks.abandon(books.tokens, token);
      // The client reconnects at once: to it this is a broker that hands nothing over.
      return connection.close();
    }
    const outcome = await this.#run(connection, negotiation, token, registered.deadlineMs, startMs);
    this.#settle(outcome, negotiation, startMs);
  }

  #run(
    connection: DetachedConnection,
    negotiation: Negotiation,
    token: HandoffToken,
    ackDeadlineMs: number,
    startMs: number,
  ): Promise<RelayHandoffOutcome> {
    const { transport, books, clock, abort, observe } = this.#parts;
    const { connectionId } = negotiation.negotiated;
    const handoffEndpoint = negotiation.backend.handoffEndpoint!;
    const native = connection.label;
    return runRelayHandoff({
      transport,
      books,
      clock,
      handoffEndpoint,
      backendPid: negotiation.backend.identity.pid,
      token,
      connection,
      signal: abort,
      passed: () => {
        const durationUs = Math.round((clock() - startMs) * 1000);
        observe({ kind: "connection-passed", connectionId, native, handoffEndpoint, durationUs });
      },
      plan: planRelayHandoff({
        token,
        correlationId: connectionId,
        serviceName: negotiation.backend.key.service,
        ackDeadlineMs,
        residueBytes: 0,
        isEarlyDataAnnounced: false,
      }),
    });
  }

  #settle(outcome: RelayHandoffOutcome, negotiation: Negotiation, startMs: number): void {
    const { clock, observe } = this.#parts;
    const { connectionId } = negotiation.negotiated;
    const key = backendKeyText(negotiation.backend.key);
    const durationUs = Math.round((clock() - startMs) * 1000);
    if (outcome.kind === "handed-off") {
      this.#fallbacks.recordSuccess(key);
      return observe({ kind: "handoff-completed", connectionId, durationUs });
    }
    const { stage, failure, detail } = outcome;
    if (failure !== undefined) this.#fallbacks.recordFailedAttempt(key, failure, clock());
    observe({ kind: "handoff-fallback", connectionId, stage, reason: failure, detail, durationUs });
  }
}
