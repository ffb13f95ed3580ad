// This module has no I/O.
import type { ConnectionOwner } from "./ack_wait.ts";
import type { HandoffAttemptFailure } from "./fallback_reason.ts";
import type { HandoffToken } from "./handoff_token.ts";

/**
 * Time for writing the ready event, in milliseconds: it fits in an empty socket buffer at once, and a
 * client waits 2 s for it in all.
 */
export const READY_WRITE_MS = 1_000;
/** Fresh control connections tried after one that took no byte: a second failure means the backend is gone. */
export const DEFAULT_ZERO_PROGRESS_RETRIES_MAX = 1;

/** How a backend's answer reads to the broker that made one offer. */
export type AckReading =
  /** The ACK names this offer, by correlation id and token, and accepts. */
  | {
    readonly kind: "accepted";
    readonly isReadyRelayed: boolean;
    /** Name of the descriptor channel that the control connection becomes; `undefined` when it ends here. */
    readonly channelId: Uint8Array | undefined;
  }
  /** The ACK names this offer and refuses. */
  | { readonly kind: "rejected"; readonly detail: string }
  /** Anything else: bytes that do not decode, another id, another token. */
  | { readonly kind: "unmatched"; readonly detail: string };

/** Everything one relay-mode handoff of one connection needs to know beforehand. */
export interface RelayHandoffPlan {
  /** The token of the negotiated Hello; its bytes carry the descriptor. */
  readonly token: HandoffToken;
  /** The encoded offer frame. */
  readonly offerBytes: Uint8Array;
  /** The encoded ready event for the client. */
  readonly readyBytes: Uint8Array;
  /** When the ACK comes too late: the deadline of its registration, in milliseconds. */
  readonly ackDeadlineMs: number;
  /** Reads the body of a frame of the control connection: matches correlation id and token. */
  readonly readAck: (body: Uint8Array) => AckReading;
  /** Bytes behind the Hello that were read already. */
  readonly residueBytes: number;
  /** The Hello announces early data. */
  readonly isEarlyDataAnnounced: boolean;
  /** Fresh control connections tried after one that took no byte. @default {1} */
  readonly zeroProgressRetriesMax?: number;
}

/** The part of a relay-mode handoff that ended it. */
export type RelayHandoffStage = "Plan" | "Dial" | "Send" | "AwaitAck" | "Relay";

/** How a relay-mode handoff ended. */
export type RelayHandoffOutcome =
  | {
    readonly kind: "handed-off";
    /** Whether the backend wrote the ready event itself. */
    readonly isReadyRelayed: boolean;
    /** The control connection was kept for more, under this name. */
    readonly channelId: Uint8Array | undefined;
  }
  | RelayHandoffFallback;

/** A relay-mode handoff that ended without the ready event on the wire; the client reconnects. */
export interface RelayHandoffFallback {
  /** Tells it from a handoff that was relayed. */
  readonly kind: "fallback";
  /** The part that failed. */
  readonly stage: RelayHandoffStage;
  /** What to count against the backend; nothing when the backend is not at fault. */
  readonly failure: HandoffAttemptFailure | undefined;
  /** Whether the backend may have received the descriptor. */
  readonly fdReachedBackend: boolean;
  /** Who may still have been using the connection when the broker gave it up. */
  readonly owner: ConnectionOwner;
  /** What was seen, for the log. */
  readonly detail: string;
}
