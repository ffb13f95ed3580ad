// This module has no I/O.
import type { AdoptCloseReason } from "./adopt_plan.ts";
import type { HandoffToken } from "./handoff_token.ts";
import type { SpentTokens } from "./spent_tokens.ts";

/** A connection that came with an offer on a warm channel. */
export interface OfferedEnd {
  /** Whether its client is gone. */
  isHungUp(): boolean;
  /**
   * Writes the ready event to its client, or sees to it that it leaves with the answer to a request that may run
   * twice. @returns Why it did not leave whole; `undefined` when it did or will.
   */
  writeReady(): string | undefined;
}

/** Whether to serve an offered connection. */
export type DirectVerdict =
  /** The ready event has left: the client knows, and the connection is served whatever becomes of the ACK. */
  | { readonly kind: "adopt" }
  | { readonly kind: "refuse"; readonly reason: AdoptCloseReason; readonly detail: string };

/**
 * Decides on an offer whose backend tells the client itself: token, then the client's presence, then the ready
 * event, and only behind it whatever the client has asked for already (model rule 5).
 *
 * A ready event that did not leave whole is a refusal: the client then sees the end of its connection, or has
 * given it up, and asks again elsewhere. Its request must not run here.
 *
 * @param spent The tokens that this backend has used up; this one is, from now on.
 * @param token The token that both the descriptor and its offer came with.
 * @param end The connection.
 * @param nowMs The time, on the clock of the spent tokens.
 */
export function adoptDirectly(
  spent: SpentTokens,
  token: HandoffToken,
  end: OfferedEnd,
  nowMs: number,
): DirectVerdict {
  if (spent.has(token, nowMs)) {
    return { kind: "refuse", reason: "token-rejected", detail: "handoff token is not pending" };
  }
  spent.add(token, nowMs);
  if (end.isHungUp()) {
    return {
      kind: "refuse",
      reason: "connection-eof",
      detail: "handoff connection was closed by the client",
    };
  }
  const failure = end.writeReady();
  if (failure === undefined) return { kind: "adopt" };
  return { kind: "refuse", reason: "ready-failed", detail: `handoff-ready event not written: ${failure}` };
}
