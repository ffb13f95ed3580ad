// This module has no I/O.
import { settle, textOfThrown } from "./_settle.ts";
import type { AcknowledgedHandoff } from "./ack_registry.ts";
import { awaitAndBookAck, type ConnectionOwner, type HandoffAckWait, type HandoffBooks } from "./ack_wait.ts";
import { DuplicateHandleError } from "./duplicate_handle_error.ts";
import { fallBack, type HandoffFallbackDecision, type HandoffFallbackReason } from "./fallback_reason.ts";
import type { HandoffToken } from "./handoff_token.ts";

/** A connection to be passed by DuplicateHandle. */
export interface WindowsHandoffRequest {
  /** The broker's handle of the client's connection; stays the caller's to close. */
  readonly pipeHandle: bigint;
  /** The backend's process, whose identity was verified. */
  readonly backendPid: number;
  /** The token of the negotiated Hello, with its ACK registered. */
  readonly token: HandoffToken;
}

/** The duplicate's value in the backend's process, or why there is none. */
export type DuplicateHandleResult =
  | { readonly ok: true; readonly backendHandle: bigint }
  | { readonly ok: false; readonly error: DuplicateHandleError };

/** Duplicates the handle into the backend's process. */
export type DuplicateHandleTransport = (request: WindowsHandoffRequest) => Promise<DuplicateHandleResult>;

/** Whether the offer left, and if not, how many of its bytes did. */
export type OfferDelivery =
  | { readonly ok: true }
  | { readonly ok: false; readonly detail: string; readonly bytesSent: number };

/** Writes the offer, with the duplicate's value in it, to the backend. */
export type OfferDeliverer = (backendHandle: bigint, token: HandoffToken) => Promise<OfferDelivery>;

/** The steps of a handoff on Windows, in order (protocol 7.10). */
export type WindowsHandoffStage = "Duplicate" | "Deliver" | "AwaitAck" | "Acknowledge";

/** A handoff on Windows that did not complete; its token is revoked and its ACK no longer awaited. */
export interface WindowsHandoffFallback {
  /** Tells it from a completed one. */
  readonly kind: "fallback";
  /** The step that failed. */
  readonly stage: WindowsHandoffStage;
  /** That the client reconnects, and why. */
  readonly decision: HandoffFallbackDecision;
  /** The duplicate that is left in the backend's process; nothing when none was made. */
  readonly leakedBackendHandle: bigint | undefined;
  /** Who may still be using the connection: "broker" when the backend never learned of the duplicate. */
  readonly owner: ConnectionOwner;
  /** What was seen, for the log. */
  readonly detail: string;
}

/** How a handoff on Windows ended. */
export type WindowsHandoffOutcome =
  | {
    readonly kind: "completed";
    readonly backendHandle: bigint;
    readonly acknowledged: AcknowledgedHandoff;
  }
  | WindowsHandoffFallback;

/** What a handoff on Windows acts through. */
export interface WindowsHandoffDriver extends HandoffAckWait {
  /** Makes the duplicate. */
  readonly duplicate: DuplicateHandleTransport;
  /** Writes the offer. */
  readonly deliver: OfferDeliverer;
  /** The time in milliseconds, of the same clock as the books. */
  readonly clock: () => number;
}

/**
 * Passes a client's connection to a backend on Windows and waits for its ACK (protocol 7.10). Never rejects.
 *
 * @param books Where token and ACK are booked.
 * @param request The connection.
 * @param driver What acts.
 * @returns How it ended.
 */
export async function executeWindowsHandoffWithTransport(
  books: HandoffBooks,
  request: WindowsHandoffRequest,
  driver: WindowsHandoffDriver,
): Promise<WindowsHandoffOutcome> {
  const { token } = request;
  const duplicated = await settle(() => driver.duplicate(request), notDuplicated);
  if (!duplicated.ok) {
    books.acks.abandon(books.tokens, token);
    const { fallbackReason, detail } = duplicated.error;
    return failed("Duplicate", fallbackReason, undefined, "broker", detail);
  }
  const { backendHandle } = duplicated;
  const delivery = await settle(() => driver.deliver(backendHandle, token), unknownDelivery);
  if (!delivery.ok) {
    books.acks.abandon(books.tokens, token);
    const owner = delivery.bytesSent > 0 ? "backend" : "broker";
    return failed("Deliver", "BackendAckTimeout", backendHandle, owner, delivery.detail);
  }
  const booked = await awaitAndBookAck(books, token, driver, driver.clock());
  if (booked.ok) return { kind: "completed", backendHandle, acknowledged: booked.acknowledged };
  return failed(booked.stage, "BackendAckTimeout", backendHandle, booked.owner, booked.detail);
}

function failed(
  stage: WindowsHandoffStage,
  reason: HandoffFallbackReason,
  leakedBackendHandle: bigint | undefined,
  owner: ConnectionOwner,
  detail: string,
): WindowsHandoffFallback {
  return { kind: "fallback", stage, decision: fallBack(reason), leakedBackendHandle, owner, detail };
}

function notDuplicated(cause: unknown): DuplicateHandleResult {
  const detail = `Cannot duplicate the connection: ${textOfThrown(cause)}`;
  return { ok: false, error: new DuplicateHandleError("DuplicateFailed", detail, { cause }) };
}

/** A deliverer that throws does not say how far it came, so the backend may know the duplicate. */
function unknownDelivery(cause: unknown): OfferDelivery {
  return { ok: false, detail: textOfThrown(cause), bytesSent: 1 };
}
