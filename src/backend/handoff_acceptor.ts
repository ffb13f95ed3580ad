import { type CancelSignal, CancelSource } from "../cancel_signal.ts";
import { randomBytes } from "node:crypto";
import { BrokerError } from "../errors.ts";
import { planAdoptOffer } from "../handoff/adopt_frames.ts";
import { nextAdoptStep, startAdoptOffer } from "../handoff/adopt_offer.ts";
import { type AdoptOutcome, DEFAULT_OFFER_DEADLINE_MS } from "../handoff/adopt_plan.ts";
import type { AdoptOfferEvent, AdoptOfferStep } from "../handoff/adopt_step.ts";
import { SpentTokens } from "../handoff/spent_tokens.ts";
import { HandoffTokenStore } from "../handoff/token_store.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import type { IncomingControl, PassedConnection } from "../transport/transport.ts";
import type { BackendObserver } from "./backend_event.ts";

/** Control connections served at once; a broker has few handoffs under way, a stranger gets no more than this. */
export const CONTROLS_MAX = 256;

/** What an acceptor is made of. */
export interface HandoffAcceptorParts {
  /** The user whose brokers may pass connections. */
  readonly ownUser: number;
  /** Told what becomes of each offer. */
  readonly observe: BackendObserver;
  /** Takes an adopted connection over. */
  readonly adopted: (stream: LocalStream) => void;
}

/** Takes one offer per control connection and adopts what it passes (protocol 8.1). */
export class HandoffAcceptor {
  readonly #parts: HandoffAcceptorParts;
  readonly #tokens = new HandoffTokenStore((length) => randomBytes(length));
  readonly #spent = new SpentTokens();
  readonly #stop = new CancelSource();
  #controls = 0;

  /** Makes an acceptor that has seen no offer yet. */
  constructor(parts: HandoffAcceptorParts) {
    this.#parts = parts;
  }

  /** Serves one connection of the handoff endpoint to its end. Never rejects. */
  async accept(control: IncomingControl): Promise<void> {
    if (this.#controls >= CONTROLS_MAX) return control.close();
    this.#controls++;
    try {
      await this.#serve(control);
    } catch (error) {
      // It was passed and acknowledged, and is nothing that this runtime can read.
      const detail = (error as Error).message;
      this.#parts.observe({ kind: "connection-unused", origin: "handoff", detail });
    } finally {
      control.close();
      this.#controls--;
    }
  }

  /** Gives up the offers that are under way. */
  stop(): void {
    this.#stop.abort(new BrokerError("closed", "The backend stops"));
  }

  async #serve(control: IncomingControl): Promise<void> {
    const startMs = performance.now();
    const deadlineMs = startMs + DEFAULT_OFFER_DEADLINE_MS;
    const plan = planAdoptOffer({ tokens: this.#tokens, spent: this.#spent, deadlineMs });
    const { observe, adopted } = this.#parts;
    const driver = new OfferDriver(control, this.#stop, (connection, correlationId) => {
      const stream = connection.adopt();
      const durationUs = Math.round((performance.now() - startMs) * 1000);
      observe({ kind: "adopted", correlationId, native: connection.label, durationUs });
      adopted(stream);
    });
    let { state, steps } = startAdoptOffer(plan);
    let event = this.#rejectPeer(control) ?? await driver.take(steps);
    for (;;) {
      ({ state, steps } = nextAdoptStep(state, event, performance.now()));
      event = await driver.take(steps);
      if (state.phase === "done") return this.#report(state.outcome);
    }
  }

  /** Nothing else proves the broker: its token is not known here beforehand. */
  #rejectPeer({ peer }: IncomingControl): AdoptOfferEvent | undefined {
    if (peer?.uid === this.#parts.ownUser) return undefined;
    const seen = peer === undefined ? "an unknown user" : `uid ${peer.uid}`;
    return { kind: "peer-rejected", detail: `the broker is ${seen}, wanted uid ${this.#parts.ownUser}` };
  }

  #report(outcome: AdoptOutcome): void {
    if (outcome.kind === "adopted") return;
    this.#parts.observe({ kind: "handoff-refused", reason: outcome.reason, detail: outcome.detail });
  }
}

/** Takes the steps of the state machine, which knows passed connections by numbers. */
class OfferDriver {
  readonly #control: IncomingControl;
  readonly #signal: CancelSignal;
  readonly #adopt: (connection: PassedConnection, correlationId: bigint) => void;
  readonly #connections: PassedConnection[] = [];

  constructor(
    control: IncomingControl,
    signal: CancelSignal,
    adopt: (connection: PassedConnection, correlationId: bigint) => void,
  ) {
    this.#control = control;
    this.#signal = signal;
    this.#adopt = adopt;
  }

  /** Takes steps in order. @returns What the last of them led to. */
  async take(steps: readonly AdoptOfferStep[]): Promise<AdoptOfferEvent> {
    let event: AdoptOfferEvent = { kind: "deadline" };
    for (const step of steps) event = await this.#takeOne(step) ?? event;
    return event;
  }

  #takeOne(step: AdoptOfferStep): AdoptOfferEvent | undefined | Promise<AdoptOfferEvent> {
    switch (step.kind) {
      case "receive":
        return this.#receive(step.bytesExact, step.deadlineMs - performance.now());
      case "test-connection": {
        const state = this.#connections[step.fd]!.state();
        return { kind: "connection-readable", state: state === "failed" ? "eof" : state };
      }
      case "write-ack": {
        const sent = this.#control.sendNow(step.bytes);
        return sent.ok ? { kind: "ack-written" } : { kind: "ack-failed", detail: sent.detail };
      }
      case "close-fd":
        this.#connections[step.fd]!.close();
        return undefined;
      case "serve":
        this.#serve(this.#connections[step.fd]!, step.offer.correlationId);
        return undefined;
      case "close-control":
        this.#control.close();
        return undefined;
      case "done":
        return undefined;
    }
  }

  #serve(connection: PassedConnection, correlationId: bigint): void {
    try {
      this.#adopt(connection, correlationId);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async #receive(bytesMax: number, deadlineMs: number): Promise<AdoptOfferEvent> {
    try {
      const receipt = await this.#control.receive(bytesMax, { deadlineMs, signal: this.#signal });
      if (receipt.kind === "eof") return { kind: "control-eof" };
      if (receipt.kind === "violation") return { kind: "peer-rejected", detail: receipt.reason };
      const fds = receipt.connections.map((connection) => this.#connections.push(connection) - 1);
      return { kind: "received", bytes: receipt.bytes, fds, isControlTruncated: false };
    } catch (error) {
      if (this.#signal.aborted) return { kind: "aborted" };
      if (BrokerError.is(error) && error.code === "deadline") return { kind: "deadline" };
      return { kind: "control-eof" };
    }
  }
}
