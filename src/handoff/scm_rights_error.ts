// This module has no I/O.
import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import {
  attemptFailureOf,
  type HandoffAttemptFailure,
  type HandoffFallbackReason,
} from "./fallback_reason.ts";

/** What can stop a file descriptor from being passed; the reference's variant names (protocol 7.8). */
export type ScmRightsErrorKind =
  | "UnsupportedPlatform"
  | "PermissionDenied"
  | "BackendSocketUnavailable"
  | "WouldBlock"
  | "SendFailed"
  | "BackendAckTimeout";

const REASONS: Readonly<Record<ScmRightsErrorKind, HandoffFallbackReason>> = {
  UnsupportedPlatform: "ServicePolicyDisabled",
  PermissionDenied: "PermissionDenied",
  BackendSocketUnavailable: "BackendAckTimeout",
  WouldBlock: "BackendAckTimeout",
  SendFailed: "BackendAckTimeout",
  BackendAckTimeout: "BackendAckTimeout",
};

const CODES: Readonly<Record<ScmRightsErrorKind, BrokerErrorCode>> = {
  UnsupportedPlatform: "unsupported",
  PermissionDenied: "os",
  BackendSocketUnavailable: "os",
  WouldBlock: "os",
  SendFailed: "os",
  BackendAckTimeout: "deadline",
};

/** The call that failed, and what is known about it. */
export interface ScmRightsFailure {
  /** The call: connecting to the backend, or sending to it. */
  readonly call: "connect" | "sendmsg";
  /** The name of the error number, such as `EPIPE`; nothing after a short send. */
  readonly errno?: string;
  /** Bytes of token and offer that left. One is enough for the descriptor to be under way. */
  readonly bytesSent?: number;
  /** The original error, kept as `cause`. */
  readonly cause?: unknown;
}

/** A file descriptor was not, or not wholly, passed to a backend. Handed back as a value. */
export class ScmRightsError extends BrokerError {
  /** Always "ScmRightsError". */
  override readonly name = "ScmRightsError";
  /** Which failure. */
  readonly kind: ScmRightsErrorKind;
  /** The text without the code. */
  readonly detail: string;
  /** Bytes of token and offer that left before the failure. */
  readonly bytesSent: number;

  /**
   * Makes the error; its code follows from the kind.
   *
   * @param kind Which failure.
   * @param detail What was attempted and seen, without any byte of a token.
   * @param bytesSent Bytes of token and offer that left before the failure.
   * @param options `cause` keeps the original error.
   */
  constructor(kind: ScmRightsErrorKind, detail: string, bytesSent = 0, options?: ErrorOptions) {
    super(CODES[kind], detail, options);
    this.kind = kind;
    this.detail = detail;
    this.bytesSent = bytesSent;
  }

  /** Why the client reconnects. */
  get fallbackReason(): HandoffFallbackReason {
    return REASONS[this.kind];
  }

  /** What to count against the backend; nothing when the platform cannot do it at all. */
  get attemptFailure(): HandoffAttemptFailure | undefined {
    return attemptFailureOf(this.fallbackReason);
  }

  /** Whether the backend may hold the descriptor: it travels with the first byte (model rule 17). */
  get fdReachedBackend(): boolean {
    return this.bytesSent > 0;
  }
}

/**
 * Sorts a failed system call into the kinds of protocol 7.8.
 *
 * @param failure The call and what is known about it.
 * @returns The error.
 */
export function scmRightsErrorOf(failure: ScmRightsFailure): ScmRightsError {
  const { call, errno, bytesSent = 0 } = failure;
  const act = call === "connect" ? "Cannot connect to the handoff endpoint" : "Cannot pass the connection";
  const detail = `${act}: ${errno ?? "short send"} after ${bytesSent} bytes`;
  const options = failure.cause === undefined ? undefined : { cause: failure.cause };
  return new ScmRightsError(kindOf(call, errno), detail, bytesSent, options);
}

function kindOf(call: ScmRightsFailure["call"], errno: string | undefined): ScmRightsErrorKind {
  switch (errno) {
    case "EACCES":
    case "EPERM":
      return "PermissionDenied";
    case "EAGAIN":
    case "EWOULDBLOCK":
      return call === "connect" ? "BackendSocketUnavailable" : "WouldBlock";
    case "ECONNREFUSED":
    case "ECONNRESET":
    case "EPIPE":
    case "ENOTCONN":
      return "BackendSocketUnavailable";
    default:
      return call === "connect" ? "BackendSocketUnavailable" : "SendFailed";
  }
}
