// This module has no I/O.
import { HELLO_BYTES_MAX } from "../wire/constants.ts";
import type { SpentTokens } from "./spent_tokens.ts";
import type { HandoffTokenStore } from "./token_store.ts";

/**
 * Largest offer body taken: as many client bytes as a broker can have read behind a Hello, and as much
 * again for the offer's own fields. The frame limit of 16 MiB would let one peer hold that much memory.
 */
export const OFFER_BODY_BYTES_MAX: number = 2 * HELLO_BYTES_MAX;

/** Time for a whole offer and its ACK, in milliseconds: what the broker waits for the ACK. */
export const DEFAULT_OFFER_DEADLINE_MS = 5_000;

/** An offer whose frame and fields are valid. */
export interface ReceivedOffer {
  /** The token as offered, of any length. */
  readonly token: Uint8Array;
  /** The service the client asked for. */
  readonly serviceName: string;
  /** What the ACK has to repeat. */
  readonly correlationId: bigint;
  /** The client's bytes that the broker read behind the Hello. */
  readonly residue: Uint8Array;
  /** The extension bits it was made with. */
  readonly extensions: bigint;
}

/** An offer's body, read: protocol 8.1 without the token. */
export type OfferReading =
  | { readonly ok: true; readonly offer: ReceivedOffer }
  | { readonly ok: false; readonly detail: string };

/** The answer to an offer. */
export interface OfferAck {
  /** The offered token, verbatim. */
  readonly token: Uint8Array;
  /** Whether the connection is adopted. */
  readonly isAccepted: boolean;
  /** Why not; empty when it is. */
  readonly errorDetail: string;
  /** The offer's. */
  readonly correlationId: bigint;
  /** Names the descriptor channel that the control connection becomes; `undefined` when it ends here. */
  readonly channelId?: Uint8Array | undefined;
}

/** Everything the adoption of one offer needs to know beforehand. */
export interface AdoptOfferPlan {
  /** Where the offer's token is pending while it is judged. */
  readonly tokens: HandoffTokenStore;
  /** The tokens of this backend's earlier adoptions; shared by all of them. */
  readonly spent: SpentTokens;
  /** Reads the body of the offer's frame: envelope, fields, request id (protocol 8.1). */
  readonly readOffer: (body: Uint8Array) => OfferReading;
  /** Draws the name of a descriptor channel; `undefined` when no control connection is kept. */
  readonly drawChannelId?: (() => Uint8Array) | undefined;
  /** Encodes the frame of an ACK. */
  readonly encodeAck: (ack: OfferAck) => Uint8Array;
  /** When offer and ACK have to be through, in milliseconds; progress does not move it. */
  readonly deadlineMs: number;
  /** Largest offer body taken. @default {131072} */
  readonly offerBodyBytesMax?: number;
}

/** Why a connection that was offered, or was to be, is not served. */
export type AdoptCloseReason =
  | "control-eof"
  | "deadline"
  | "peer-rejected"
  | "aborted"
  | "missing-fd"
  | "unexpected-fds"
  | "control-truncated"
  | "excess-bytes"
  | "unsupported-framing"
  | "offer-too-large"
  | "invalid-offer"
  | "token-rejected"
  | "early-data"
  | "connection-eof"
  | "ready-failed"
  | "ack-failed";

/** How a control connection with one offer ended. */
export type AdoptOutcome =
  | {
    readonly kind: "adopted";
    /** The connection; the session's to close. */
    readonly fd: number;
    readonly offer: ReceivedOffer;
    /** The control connection was kept as a descriptor channel of this name. */
    readonly channelId: Uint8Array | undefined;
  }
  | {
    readonly kind: "closed";
    readonly reason: AdoptCloseReason;
    /** What was seen, for the log. */
    readonly detail: string;
    /** Whether the broker was told by an ACK that refuses. */
    readonly isAckWritten: boolean;
  };
