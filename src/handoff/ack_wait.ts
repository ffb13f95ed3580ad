// This module has no I/O.
import { settle, textOfThrown } from "./_settle.ts";
import type { AcknowledgedHandoff, HandoffAckRegistry } from "./ack_registry.ts";
import type { HandoffToken } from "./handoff_token.ts";
import type { HandoffTokenStore } from "./token_store.ts";

/** What waiting for a backend's ACK came to. */
export type AckWait =
  /** An ACK that matches and accepts was seen at `atMs`. */
  | { readonly kind: "observed"; readonly atMs: number }
  /** A matching ACK refuses: the backend has closed the connection, nobody else holds it. */
  | { readonly kind: "rejected"; readonly detail: string }
  /** Timeout, end of stream, or bytes that are no matching ACK: the backend may be serving. */
  | { readonly kind: "not-observed"; readonly detail: string };

/** Waits for the ACKs of one kind of backend connection. */
export interface HandoffAckWait {
  /**
   * Waits for the ACK of one offer. It has to keep the deadline.
   *
   * @param token The offer's token.
   * @param deadlineMs When to give up, on the clock of the orchestrator.
   */
  awaitBackendAck(token: HandoffToken, deadlineMs: number): Promise<AckWait>;
}

/** The two registers a handoff is booked in. */
export interface HandoffBooks {
  /** Where the token is pending. */
  readonly tokens: HandoffTokenStore;
  /** Where the ACK is awaited. */
  readonly acks: HandoffAckRegistry;
}

/** Who has to close, or may still use, the connection after a handoff that did not complete. */
export type ConnectionOwner =
  /** Nobody but the broker holds it. */
  | "broker"
  /** A backend may hold it, so the broker only gives up its own copy. */
  | "backend";

/** The outcome of {@linkcode awaitAndBookAck}. */
export type BookedAck =
  | {
    readonly ok: true;
    readonly acknowledged: AcknowledgedHandoff;
  }
  | {
    readonly ok: false;
    readonly stage: "AwaitAck" | "Acknowledge";
    readonly owner: ConnectionOwner;
    readonly detail: string;
  };

/**
 * Waits for an ACK and books it; a waiter that fails counts as one that saw nothing.
 *
 * @param books Where the handoff is booked.
 * @param token The offer's token.
 * @param ackWait Waits for the ACK.
 * @param nowMs The time the wait starts at.
 * @returns The acknowledged handoff with its wait, or the stage that failed with everything revoked.
 */
export async function awaitAndBookAck(
  books: HandoffBooks,
  token: HandoffToken,
  ackWait: HandoffAckWait,
  nowMs: number,
): Promise<BookedAck> {
  const latestMs = nowMs + books.acks.ackDeadlineMs;
  const deadlineMs = Math.min(latestMs, books.acks.deadlineMsOf(token) ?? latestMs);
  const wait = await settle(() => ackWait.awaitBackendAck(token, deadlineMs), notObserved);
  if (wait.kind !== "observed") {
    books.acks.abandon(books.tokens, token);
    const owner = wait.kind === "rejected" ? "broker" : "backend";
    return { ok: false, stage: "AwaitAck", owner, detail: wait.detail };
  }
  const acknowledged = books.acks.acknowledge(books.tokens, token, wait.atMs);
  if (acknowledged.kind === "acknowledged") return { ok: true, acknowledged };
  books.tokens.revoke(token);
  const detail = acknowledged.kind === "TokenNotPending"
    ? "the ACK's token is not pending"
    : "the ACK came after its deadline";
  return { ok: false, stage: "Acknowledge", owner: "backend", detail };
}

function notObserved(error: unknown): AckWait {
  return { kind: "not-observed", detail: textOfThrown(error) };
}
