// This module has no I/O.

/** Every reason to let a client reconnect, in the order the policy asks them (protocol 7.5). */
export const HANDOFF_FALLBACK_REASONS = [
  "ClientUnsupported",
  "ServicePolicyDisabled",
  "FdPressureDisabled",
  "AdoptedBackend",
  "FailedAttemptRateLimited",
  "PermissionDenied",
  "IntegrityMismatch",
  "BackendAckTimeout",
] as const;

/** Why a client reconnects instead of keeping its connection. */
export type HandoffFallbackReason = typeof HANDOFF_FALLBACK_REASONS[number];

/** The reasons that follow an attempt, and count against its backend. */
export type HandoffAttemptFailure = "PermissionDenied" | "IntegrityMismatch" | "BackendAckTimeout";

/** The client is to reconnect. It never sees an error for it. */
export interface HandoffFallbackDecision {
  /** Tells this decision from the one to attempt a handoff. */
  readonly kind: "fallback";
  /** Why, in the reference's words. */
  readonly reason: HandoffFallbackReason;
  /** Milliseconds until another attempt is allowed; only with `FailedAttemptRateLimited`. */
  readonly retryAfterMs?: number;
  /** The backend's own endpoint serves the client, whatever the reason. */
  readonly usesBackendReconnect: true;
  /** No reason is worth an error to the client. */
  readonly sendsClientError: false;
}

/**
 * Makes the decision to reconnect.
 *
 * @param reason Why.
 * @param retryAfterMs When another attempt is allowed, in milliseconds from now.
 * @returns The decision.
 */
export function fallBack(reason: HandoffFallbackReason, retryAfterMs?: number): HandoffFallbackDecision {
  const decision = { kind: "fallback", reason, usesBackendReconnect: true, sendsClientError: false } as const;
  return retryAfterMs === undefined ? decision : { ...decision, retryAfterMs };
}

/**
 * Tells whether a reason counts as a failed attempt.
 *
 * @param reason Any reason.
 * @returns The failure to record, or nothing when no attempt was made.
 */
export function attemptFailureOf(reason: HandoffFallbackReason): HandoffAttemptFailure | undefined {
  return reason === "PermissionDenied" || reason === "IntegrityMismatch" || reason === "BackendAckTimeout"
    ? reason
    : undefined;
}
