import type { CancelSignal } from "../cancel_signal.ts";
import { BrokerError } from "../errors.ts";
import type { AdoptOfferEvent, AdoptOfferStep } from "../handoff/adopt_step.ts";
import type { IncomingControl, PassedConnection } from "../transport/transport.ts";

/** What the driver of one control connection is made of. */
export interface OfferDriverParts {
  /** The connection; stays the caller's. */
  readonly control: IncomingControl;
  /** Ends every wait: the backend stops. */
  readonly signal: CancelSignal;
  /** Takes a connection over that was adopted; the driver closes it when that throws. */
  readonly adopt: (connection: PassedConnection, correlationId: bigint) => void;
  /** Takes the control connection over, which carries descriptors from now on. */
  readonly keep: (channelId: Uint8Array) => void;
}

/** Takes the steps of the adoption's state machine, which knows passed connections by numbers. */
export class OfferDriver {
  readonly #parts: OfferDriverParts;
  readonly #connections: PassedConnection[] = [];

  /** Drives one adoption. */
  constructor(parts: OfferDriverParts) {
    this.#parts = parts;
  }

  /** Takes steps in order. @returns What the last of them led to. */
  async take(steps: readonly AdoptOfferStep[]): Promise<AdoptOfferEvent> {
    let event: AdoptOfferEvent = { kind: "deadline" };
    for (const step of steps) event = await this.#takeOne(step) ?? event;
    return event;
  }

  #takeOne(step: AdoptOfferStep): AdoptOfferEvent | undefined | Promise<AdoptOfferEvent> {
    const { control, keep } = this.#parts;
    switch (step.kind) {
      case "receive":
        return this.#receive(step.bytesExact, step.deadlineMs - performance.now());
      case "test-connection": {
        const state = this.#connections[step.fd]!.state();
        return { kind: "connection-readable", state: state === "failed" ? "eof" : state };
      }
      case "write-ack": {
        const sent = control.sendNow(step.bytes);
        return sent.ok ? { kind: "ack-written" } : { kind: "ack-failed", detail: sent.detail };
      }
      case "close-fd":
        this.#connections[step.fd]!.close();
        return undefined;
      case "serve":
        this.#serve(this.#connections[step.fd]!, step.offer.correlationId);
        return undefined;
      case "close-control":
        control.close();
        return undefined;
      case "keep-control":
        keep(step.channelId);
        return undefined;
      case "done":
        return undefined;
    }
  }

  #serve(connection: PassedConnection, correlationId: bigint): void {
    try {
      this.#parts.adopt(connection, correlationId);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async #receive(bytesMax: number, deadlineMs: number): Promise<AdoptOfferEvent> {
    const { control, signal } = this.#parts;
    try {
      const receipt = await control.receive(bytesMax, { deadlineMs, signal });
      if (receipt.kind === "eof") return { kind: "control-eof" };
      if (receipt.kind === "violation") return { kind: "peer-rejected", detail: receipt.reason };
      const fds = receipt.connections.map((connection) => this.#connections.push(connection) - 1);
      return { kind: "received", bytes: receipt.bytes, fds, isControlTruncated: false };
    } catch (error) {
      if (signal.aborted) return { kind: "aborted" };
      if (BrokerError.is(error) && error.code === "deadline") return { kind: "deadline" };
      return { kind: "control-eof" };
    }
  }
}
