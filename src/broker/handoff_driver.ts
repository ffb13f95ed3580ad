import type { CancelSignal } from "../cancel_signal.ts";
import type { HandoffBooks } from "../handoff/ack_wait.ts";
import type { HandoffToken } from "../handoff/handoff_token.ts";
import { nextHandoffStep, startRelayHandoff } from "../handoff/relay_handoff.ts";
import type { RelayHandoffOutcome, RelayHandoffPlan } from "../handoff/relay_plan.ts";
import type { RelayHandoffEvent, RelayHandoffStep } from "../handoff/relay_step.ts";
import { ScmRightsError, scmRightsErrorOf } from "../handoff/scm_rights_error.ts";
import { BrokerError } from "../errors.ts";
import { osErrorCode } from "../transport/os_error.ts";
import type { ControlConnection, DetachedConnection, Transport } from "../transport/transport.ts";
import { readFrame } from "../wire/read_frame.ts";
import { withDeadline } from "../transport/deadline.ts";

/** What one handoff works on. */
export interface HandoffRun {
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** Where the token is pending and its ACK awaited. */
  readonly books: HandoffBooks;
  /** Milliseconds of the clock that the plan's deadline is on. */
  readonly clock: () => number;
  /** The backend's handoff endpoint: on Unix the path of a socket. */
  readonly handoffEndpoint: string;
  /** The verified process that has to serve that endpoint. */
  readonly backendPid: number;
  /** The token of the negotiated Hello. */
  readonly token: HandoffToken;
  /** The client's connection, its HelloReply written; closed when this is done. */
  readonly connection: DetachedConnection;
  /** What the state machine is to do, offer and ready event already encoded. */
  readonly plan: RelayHandoffPlan;
  /** Called once the connection has left for the backend. */
  readonly passed: () => void;
  /** Takes the control connection over that the backend wants to keep for later offers. */
  readonly kept: (control: ControlConnection, channelId: Uint8Array) => void;
  /** Ends the handoff early: the broker stops. */
  readonly signal: CancelSignal;
}

/** Takes the steps of a relay-mode handoff, in order, until it is done. Never rejects. */
export async function runRelayHandoff(run: HandoffRun): Promise<RelayHandoffOutcome> {
  const driver = new HandoffDriver(run);
  let { state, steps } = startRelayHandoff(run.plan, run.clock());
  for (;;) {
    const event = await driver.take(steps);
    if (state.phase === "done") return state.outcome;
    ({ state, steps } = nextHandoffStep(state, event, run.clock()));
  }
}

class HandoffDriver {
  readonly #run: HandoffRun;
  #control: ControlConnection | undefined;

  constructor(run: HandoffRun) {
    this.#run = run;
  }

  /** Takes steps in order. @returns What the last of them led to. */
  async take(steps: readonly RelayHandoffStep[]): Promise<RelayHandoffEvent> {
    let event: RelayHandoffEvent = { kind: "deadline" };
    for (const step of steps) event = await this.#takeOne(step) ?? event;
    return event;
  }

  #takeOne(step: RelayHandoffStep): RelayHandoffEvent | undefined | Promise<RelayHandoffEvent> {
    const { connection, books, token, clock } = this.#run;
    switch (step.kind) {
      case "dial":
        return this.#dial(step.deadlineMs - clock());
      case "send-fd-and-offer":
        return this.#send(step.tokenBytes, step.offerBytes);
      case "await-ack":
        return this.#awaitAck(step.deadlineMs - clock());
      case "settle-token":
        if (step.how === "acknowledge") books.acks.acknowledge(books.tokens, token, clock());
        else books.acks.abandon(books.tokens, token);
        return undefined;
      case "write-ready": {
        const sent = connection.sendNow(step.bytes);
        return sent.ok ? { kind: "ready-written" } : { kind: "ready-failed", detail: sent.detail };
      }
      case "close-connection":
        if (step.how === "close") connection.close();
        else connection.shutdownAndClose();
        return undefined;
      case "close-control":
        this.#control?.close();
        this.#control = undefined;
        return undefined;
      case "keep-control":
        this.#run.kept(this.#control!, step.channelId);
        this.#control = undefined;
        return undefined;
      case "log":
      case "done":
        return undefined;
    }
  }

  async #dial(deadlineMs: number): Promise<RelayHandoffEvent> {
    const { transport, handoffEndpoint, backendPid, signal } = this.#run;
    try {
      this.#control = await transport.dialControl(handoffEndpoint, { deadlineMs, signal, backendPid });
      return { kind: "dialed" };
    } catch (error) {
      if (signal.aborted) return { kind: "aborted" };
      if (BrokerError.is(error) && error.code === "peer-rejected") {
        return { kind: "dial-failed", failure: "IntegrityMismatch", detail: error.message };
      }
      const failure = dialFailure(error);
      return {
        kind: "dial-failed",
        failure: failure.attemptFailure ?? "BackendAckTimeout",
        detail: failure.detail,
      };
    }
  }

  #send(tokenBytes: Uint8Array, offerBytes: Uint8Array): RelayHandoffEvent {
    const sent = this.#control!.pass(this.#run.connection, tokenBytes, () => offerBytes);
    if (sent.ok) {
      this.#run.passed();
      return { kind: "sent" };
    }
    const { attemptFailure } = new ScmRightsError(sent.kind, sent.detail);
    return {
      kind: "send-failed",
      bytesSent: sent.reachedBackend ? 1 : 0,
      failure: attemptFailure ?? "BackendAckTimeout",
      detail: sent.detail,
    };
  }

  async #awaitAck(deadlineMs: number): Promise<RelayHandoffEvent> {
    const control = this.#control!;
    const { signal } = this.#run;
    try {
      const body = await withDeadline("see the backend's ACK", { deadlineMs, signal }, (ended) => {
        return readFrame(control, { signal: ended });
      });
      return { kind: "ack-frame", body };
    } catch (error) {
      if (signal.aborted) return { kind: "aborted" };
      if (BrokerError.is(error) && error.code === "deadline") return { kind: "deadline" };
      return { kind: "control-eof", detail: (error as Error).message };
    }
  }
}

/** Sorts what came of dialling a handoff endpoint into the kinds of protocol 7.8. */
export function dialFailure(error: unknown): ScmRightsError {
  const errno = osErrorCode((error as Error).cause);
  return scmRightsErrorOf({ call: "connect", cause: error, ...(errno === undefined ? {} : { errno }) });
}
