// This module has no I/O.
import { settle, textOfThrown } from "./_settle.ts";
import type { AcknowledgedHandoff } from "./ack_registry.ts";
import { awaitAndBookAck, type ConnectionOwner, type HandoffAckWait, type HandoffBooks } from "./ack_wait.ts";
import { fallBack, type HandoffFallbackDecision } from "./fallback_reason.ts";
import type { HandoffToken } from "./handoff_token.ts";
import { ScmRightsError } from "./scm_rights_error.ts";

/** A connection to be passed by SCM_RIGHTS. */
export interface UnixHandoffRequest {
  /** The broker's descriptor of the client's connection; stays the caller's to close. */
  readonly fd: number;
  /** The path of the backend's handoff endpoint. */
  readonly backendSocket: string;
  /** The token of the negotiated Hello, with its ACK registered. */
  readonly token: HandoffToken;
}

/** What a transport has done: token and descriptor sent, offer written. */
export type ScmRightsResult = { readonly ok: true } | { readonly ok: false; readonly error: ScmRightsError };

/** Sends the 16 token bytes with the descriptor, then the offer. */
export type ScmRightsTransport = (request: UnixHandoffRequest) => Promise<ScmRightsResult>;

/** Waits for the ACK of a connection that was passed on Unix. */
export type UnixHandoffAckWait = HandoffAckWait;

/** The steps of a handoff on Unix, in order (protocol 7.8). */
export type UnixHandoffStage = "Send" | "AwaitAck" | "Acknowledge";

/** A handoff on Unix that did not complete; its token is revoked and its ACK no longer awaited. */
export interface UnixHandoffFallback {
  /** Tells it from a completed one. */
  readonly kind: "fallback";
  /** The step that failed. */
  readonly stage: UnixHandoffStage;
  /** That the client reconnects, and why. */
  readonly decision: HandoffFallbackDecision;
  /** The caller's descriptor, still the caller's to close. */
  readonly brokerFd: number;
  /** Whether the backend may have received it: also after a partial send, and when only the offer failed. */
  readonly fdReachedBackend: boolean;
  /** Who may still be using the connection. */
  readonly owner: ConnectionOwner;
  /** What was seen, for the log. */
  readonly detail: string;
}

/** A handoff on Unix that completed: the backend serves the connection. */
export interface CompletedUnixHandoff {
  /** Tells it from one that did not complete. */
  readonly kind: "completed";
  /** The caller's descriptor, a copy of which was sent; the caller's to close. */
  readonly brokerFd: number;
  /** The ACK. */
  readonly acknowledged: AcknowledgedHandoff;
}

/** How a handoff on Unix ended. */
export type UnixHandoffOutcome = CompletedUnixHandoff | UnixHandoffFallback;

/**
 * Passes a client's connection to a backend on Unix and waits for its ACK (protocol 7.8). Never rejects.
 *
 * @param books Where token and ACK are booked.
 * @param request The connection.
 * @param transport Sends descriptor and offer.
 * @param ackWait Waits for the ACK; it has to keep its deadline.
 * @param clock The time in milliseconds, of the same clock as the books.
 * @returns How it ended.
 */
export async function executeUnixHandoffWithTransport(
  books: HandoffBooks,
  request: UnixHandoffRequest,
  transport: ScmRightsTransport,
  ackWait: UnixHandoffAckWait,
  clock: () => number,
): Promise<UnixHandoffOutcome> {
  const { token, fd: brokerFd } = request;
  const sent = await settle(() => transport(request), unknownProgress);
  if (!sent.ok) {
    books.acks.abandon(books.tokens, token);
    const { fallbackReason, fdReachedBackend, detail } = sent.error;
    const owner = fdReachedBackend ? "backend" : "broker";
    const decision = fallBack(fallbackReason);
    return { kind: "fallback", stage: "Send", decision, brokerFd, fdReachedBackend, owner, detail };
  }
  const booked = await awaitAndBookAck(books, token, ackWait, clock());
  if (booked.ok) return { kind: "completed", brokerFd, acknowledged: booked.acknowledged };
  const { stage, owner, detail } = booked;
  const decision = fallBack("BackendAckTimeout");
  return { kind: "fallback", stage, decision, brokerFd, fdReachedBackend: true, owner, detail };
}

/** A transport that throws does not say how far it came, so the descriptor counts as sent. */
function unknownProgress(cause: unknown): ScmRightsResult {
  const detail = `Cannot pass the connection: ${textOfThrown(cause)}`;
  return { ok: false, error: new ScmRightsError("SendFailed", detail, 1, { cause }) };
}
