// This module has no I/O.
import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import {
  attemptFailureOf,
  type HandoffAttemptFailure,
  type HandoffFallbackReason,
} from "./fallback_reason.ts";

/** What can stop a handle from being duplicated; the reference's variant names (protocol 7.10). */
export type DuplicateHandleErrorKind =
  | "UnsupportedPlatform"
  | "CannotOpenBackend"
  | "PermissionDenied"
  | "DuplicateFailed"
  | "IntegrityMismatch"
  | "BackendAckTimeout";

const REASONS: Readonly<Record<DuplicateHandleErrorKind, HandoffFallbackReason>> = {
  UnsupportedPlatform: "ServicePolicyDisabled",
  CannotOpenBackend: "PermissionDenied",
  PermissionDenied: "PermissionDenied",
  DuplicateFailed: "PermissionDenied",
  IntegrityMismatch: "IntegrityMismatch",
  BackendAckTimeout: "BackendAckTimeout",
};

const CODES: Readonly<Record<DuplicateHandleErrorKind, BrokerErrorCode>> = {
  UnsupportedPlatform: "unsupported",
  CannotOpenBackend: "os",
  PermissionDenied: "os",
  DuplicateFailed: "os",
  IntegrityMismatch: "peer-rejected",
  BackendAckTimeout: "deadline",
};

/** Windows' ERROR_ACCESS_DENIED, the one code that both calls report a missing right with. */
const ERROR_ACCESS_DENIED = 5;

/** A handle was not duplicated into a backend. Handed back as a value. */
export class DuplicateHandleError extends BrokerError {
  /** Always "DuplicateHandleError". */
  override readonly name = "DuplicateHandleError";
  /** Which failure. */
  readonly kind: DuplicateHandleErrorKind;
  /** The text without the code. */
  readonly detail: string;

  /**
   * Makes the error; its code follows from the kind.
   *
   * @param kind Which failure.
   * @param detail What was attempted and seen.
   * @param options `cause` keeps the original error.
   */
  constructor(kind: DuplicateHandleErrorKind, detail: string, options?: ErrorOptions) {
    super(CODES[kind], detail, options);
    this.kind = kind;
    this.detail = detail;
  }

  /** Why the client reconnects. */
  get fallbackReason(): HandoffFallbackReason {
    return REASONS[this.kind];
  }

  /** What to count against the backend; nothing when the platform cannot do it at all. */
  get attemptFailure(): HandoffAttemptFailure | undefined {
    return attemptFailureOf(this.fallbackReason);
  }
}

/**
 * Sorts a failed Windows call into the kinds of protocol 7.10.
 *
 * @param call The call that failed.
 * @param code What GetLastError said; nothing when the call succeeded with an invalid result.
 * @returns The error.
 */
export function duplicateHandleErrorOf(
  call: "OpenProcess" | "DuplicateHandle",
  code: number | undefined,
): DuplicateHandleError {
  const act = call === "OpenProcess"
    ? "Cannot open the backend's process"
    : "Cannot duplicate the connection";
  const seen = code === undefined ? "an invalid result" : `error ${code}`;
  return new DuplicateHandleError(kindOf(call, code), `${act}: ${call} gave ${seen}`);
}

function kindOf(call: "OpenProcess" | "DuplicateHandle", code: number | undefined): DuplicateHandleErrorKind {
  if (code === ERROR_ACCESS_DENIED) return "PermissionDenied";
  return call === "OpenProcess" ? "CannotOpenBackend" : "DuplicateFailed";
}
