// This module has no I/O.
import type { HandoffAttemptFailure } from "./fallback_reason.ts";
import type { AckReading, RelayHandoffOutcome, RelayHandoffPlan } from "./relay_plan.ts";

/** An ACK that names the offer and accepts. */
export type AcceptedAck = Extract<AckReading, { kind: "accepted" }>;

/** Where a relay-mode handoff stands. Never changed, only replaced. */
export type RelayHandoffState =
  | { readonly phase: "dialing" | "sending"; readonly plan: RelayHandoffPlan; readonly retries: number }
  | { readonly phase: "await-ack"; readonly plan: RelayHandoffPlan }
  | {
    readonly phase: "relay-ready";
    readonly plan: RelayHandoffPlan;
    readonly ack: AcceptedAck;
    readonly readyDeadlineMs: number;
  }
  | { readonly phase: "done"; readonly outcome: RelayHandoffOutcome };

/** What the driver of a relay-mode handoff saw. */
export type RelayHandoffEvent =
  /** The control connection stands. */
  | { readonly kind: "dialed" }
  /** There is no control connection, and nothing of it is left to close. */
  | { readonly kind: "dial-failed"; readonly failure: HandoffAttemptFailure; readonly detail: string }
  /** Token, descriptor and offer left whole. */
  | { readonly kind: "sent" }
  /** Of token and offer together only this many bytes left. */
  | {
    readonly kind: "send-failed";
    readonly bytesSent: number;
    readonly failure: HandoffAttemptFailure;
    readonly detail: string;
  }
  /** A whole frame came on the control connection. */
  | { readonly kind: "ack-frame"; readonly body: Uint8Array }
  /** The control connection ended, or broke its framing. */
  | { readonly kind: "control-eof"; readonly detail?: string }
  /** A deadline of an earlier step has come; one that is not due any more is ignored. */
  | { readonly kind: "deadline" }
  /** The ready event left whole. */
  | { readonly kind: "ready-written" }
  /** The ready event did not leave whole. */
  | { readonly kind: "ready-failed"; readonly detail: string }
  /** The broker gives up: it stops. */
  | { readonly kind: "aborted" };

/** What the driver of a relay-mode handoff has to do, in the order given. */
export type RelayHandoffStep =
  /** Open a control connection of its own for this offer. */
  | { readonly kind: "dial"; readonly deadlineMs: number }
  /** Pass the descriptor with the token's bytes, then the offer, with nothing in between. */
  | {
    readonly kind: "send-fd-and-offer";
    readonly tokenBytes: Uint8Array;
    readonly offerBytes: Uint8Array;
    readonly deadlineMs: number;
  }
  /** Read one frame from the control connection. */
  | { readonly kind: "await-ack"; readonly deadlineMs: number }
  /** Book the ACK, or give the offer up and revoke its token. Exactly one of both comes. */
  | { readonly kind: "settle-token"; readonly how: "acknowledge" | "abandon" }
  /** Write the ready event to the client. */
  | { readonly kind: "write-ready"; readonly bytes: Uint8Array; readonly deadlineMs: number }
  /** Close the broker's copy of the client's connection; comes exactly once. */
  | { readonly kind: "close-connection"; readonly how: "shutdown-then-close" | "close" }
  /** Close the control connection, or call off its dial; comes once a dial, unless that failed or it is kept. */
  | { readonly kind: "close-control" }
  /** Keep the control connection for later offers instead: it is a descriptor channel now. */
  | { readonly kind: "keep-control"; readonly channelId: Uint8Array }
  /** Say in the log why the client has to reconnect. */
  | { readonly kind: "log"; readonly detail: string }
  /** Nothing follows. */
  | { readonly kind: "done"; readonly outcome: RelayHandoffOutcome };

/** The new state and what to do about it. */
export interface RelayHandoffTurn {
  /** Where it stands now. */
  readonly state: RelayHandoffState;
  /** What to do, in order; none when the event changed nothing. */
  readonly steps: readonly RelayHandoffStep[];
}
