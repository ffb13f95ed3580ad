// This module has no I/O.
import type { AdoptCloseReason, AdoptOfferPlan, AdoptOutcome, ReceivedOffer } from "./adopt_plan.ts";
import type { HandoffToken } from "./handoff_token.ts";
import type { ReceivedPart } from "./received_part.ts";

/** Where the adoption of an offer stands. Never changed, only replaced. */
export type AdoptOfferState =
  | {
    readonly phase: "expect-fd-prefix";
    readonly plan: AdoptOfferPlan;
    readonly part: ReceivedPart;
    readonly fd: number | undefined;
  }
  | {
    readonly phase: "expect-header" | "expect-body";
    readonly plan: AdoptOfferPlan;
    readonly part: ReceivedPart;
    readonly fd: number;
    readonly expectedToken: HandoffToken;
  }
  | {
    readonly phase: "decide";
    readonly plan: AdoptOfferPlan;
    readonly fd: number;
    readonly offer: ReceivedOffer;
  }
  | { readonly phase: "ack"; readonly plan: AdoptOfferPlan; readonly verdict: AdoptVerdict }
  | { readonly phase: "done"; readonly outcome: AdoptOutcome };

/** What the ACK under way says. */
export type AdoptVerdict =
  | {
    readonly kind: "adopt";
    readonly fd: number;
    readonly offer: ReceivedOffer;
    readonly channelId: Uint8Array | undefined;
  }
  | { readonly kind: "refuse"; readonly reason: AdoptCloseReason; readonly detail: string };

/** What the driver of one control connection saw. */
export type AdoptOfferEvent =
  /** One recvmsg: no more bytes than were asked for, and every descriptor that came with them. */
  | {
    readonly kind: "received";
    readonly bytes: Uint8Array;
    readonly fds: readonly number[];
    /** The kernel dropped descriptors for lack of room (MSG_CTRUNC). */
    readonly isControlTruncated: boolean;
  }
  /** The control connection ended or failed. */
  | { readonly kind: "control-eof" }
  /** The plan's deadline has come; an early one is ignored. */
  | { readonly kind: "deadline" }
  /** The peer is not the broker's user by the kernel's word. */
  | { readonly kind: "peer-rejected"; readonly detail: string }
  /** What a look at the offered connection, taking nothing from it, showed. */
  | { readonly kind: "connection-readable"; readonly state: "empty" | "readable" | "eof" }
  /** The ACK left whole. */
  | { readonly kind: "ack-written" }
  /** The ACK did not leave whole. */
  | { readonly kind: "ack-failed"; readonly detail: string }
  /** The backend gives up: it stops. */
  | { readonly kind: "aborted" };

/** What the driver of one control connection has to do, in the order given. */
export type AdoptOfferStep =
  /** One recvmsg with a buffer of exactly this size and room for descriptors (model rule 23). */
  | { readonly kind: "receive"; readonly bytesExact: number; readonly deadlineMs: number }
  /** Look whether the offered connection has bytes or an end to read, without taking them. */
  | { readonly kind: "test-connection"; readonly fd: number }
  /** Write the ACK. */
  | { readonly kind: "write-ack"; readonly bytes: Uint8Array; readonly deadlineMs: number }
  /** Close a received descriptor. */
  | { readonly kind: "close-fd"; readonly fd: number }
  /** Serve the connection, which is the session's from here; nothing is written before the client is heard. */
  | { readonly kind: "serve"; readonly fd: number; readonly offer: ReceivedOffer }
  /** Close the control connection; either this or `keep-control` comes, exactly once. */
  | { readonly kind: "close-control" }
  /** Keep the control connection, from now on for descriptors only. */
  | { readonly kind: "keep-control"; readonly channelId: Uint8Array }
  /** Nothing follows, but for descriptors that still arrive. */
  | { readonly kind: "done"; readonly outcome: AdoptOutcome };

/** The new state and what to do about it. */
export interface AdoptOfferTurn {
  /** Where it stands now. */
  readonly state: AdoptOfferState;
  /** What to do, in order; none when the event changed nothing. */
  readonly steps: readonly AdoptOfferStep[];
}
