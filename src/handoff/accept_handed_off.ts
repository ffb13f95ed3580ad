// This module has no I/O.
import { HANDOFF_TOKEN_BYTES } from "../wire/constants.ts";
import { HandoffToken } from "./handoff_token.ts";
import type { HandoffTokenStore } from "./token_store.ts";

/** A connection that came with a token, before the token was judged. */
export interface HandedOffConnection<Connection> {
  /** The token this connection was announced with. */
  readonly expectedToken: HandoffToken;
  /** The bytes the offer shows as its token, of any length. */
  readonly presentedBytes: Uint8Array;
  /** The connection; handed back with every outcome. */
  readonly connection: Connection;
}

/** Why a handed-off connection is not taken; the reference's variant names (protocol 8.1). */
export type HandoffRejection =
  | { readonly kind: "MissingToken" }
  | { readonly kind: "InvalidTokenLength"; readonly actual: number; readonly expected: number }
  | { readonly kind: "TokenMismatch" }
  | { readonly kind: "TokenExpired" }
  | { readonly kind: "TokenNotPending" }
  | { readonly kind: "TokenStore"; readonly detail: string };

/** The connection again, and whether it may be served. A rejected one is the caller's to close. */
export type HandoffAcceptance<Connection> =
  | { readonly kind: "accepted"; readonly connection: Connection }
  | {
    readonly kind: "rejected";
    readonly connection: Connection;
    readonly rejection: HandoffRejection;
    /** What the ACK says about it, to the letter of protocol 8.1. */
    readonly errorDetail: string;
  };

/**
 * Judges the token of a handed-off connection and uses it up if it is right (protocol 8.1).
 *
 * @param store Where the expected token is pending.
 * @param handed The connection with both tokens.
 * @param nowMs The time on the store's clock.
 * @returns The connection, accepted or rejected.
 */
export function acceptHandedOff<Connection>(
  store: HandoffTokenStore,
  handed: HandedOffConnection<Connection>,
  nowMs: number,
): HandoffAcceptance<Connection> {
  const rejection = judge(store, handed.expectedToken, handed.presentedBytes, nowMs);
  const { connection } = handed;
  if (rejection === undefined) return { kind: "accepted", connection };
  return { kind: "rejected", connection, rejection, errorDetail: handoffRejectionDetail(rejection) };
}

/**
 * The text of a rejection as it travels in an ACK.
 *
 * @param rejection Why the connection is not taken.
 * @returns The exact text of protocol 8.1.
 */
export function handoffRejectionDetail(rejection: HandoffRejection): string {
  switch (rejection.kind) {
    case "MissingToken":
      return "handoff token is missing";
    case "InvalidTokenLength":
      return `handoff token length was ${rejection.actual} bytes; expected ${rejection.expected}`;
    case "TokenMismatch":
      return "handoff token mismatch";
    case "TokenExpired":
      return "handoff token expired";
    case "TokenNotPending":
      return "handoff token is not pending";
    case "TokenStore":
      return `handoff token store error: ${rejection.detail}`;
  }
}

function judge(
  store: HandoffTokenStore,
  expectedToken: HandoffToken,
  presentedBytes: Uint8Array,
  nowMs: number,
): HandoffRejection | undefined {
  if (presentedBytes.length === 0) return { kind: "MissingToken" };
  const presented = HandoffToken.fromBytes(presentedBytes);
  if (presented === undefined) {
    return { kind: "InvalidTokenLength", actual: presentedBytes.length, expected: HANDOFF_TOKEN_BYTES };
  }
  const consumption = store.consumeMatching(expectedToken, presented, nowMs);
  if (consumption.ok) return undefined;
  const { kind, detail } = consumption.error;
  if (kind === "TokenMismatch" || kind === "TokenExpired" || kind === "TokenNotPending") return { kind };
  return { kind: "TokenStore", detail };
}
