// This module has no I/O.
import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import { type RefusalKind, refusalKind } from "../wire/error_code.ts";
import type { ErrorCode } from "../wire/gen/broker_v1_envelope_pb.ts";

/** What went wrong on the way to a backend, in the reference's words (protocol 5.3). */
export type BrokerClientErrorKind =
  | "BrokerDisabled"
  | "DisableEnv"
  | "BrokerConnect"
  | "BackendConnect"
  | "Framing"
  | "DecodeFrame"
  | "DecodeHelloReply"
  | "DecodeAdminReply"
  | "UnexpectedResponseFrame"
  | "MissingHelloReplyResult"
  | "Refused"
  | "EmptyBackendPipe"
  | "EarlyDataOutcomeUnknown"
  | "Deadline";

/** A broker's refusal of a Hello (protocol 2.1, `Refused`). */
export interface ClientRefusal {
  /** As on the wire; unknown numbers become 0. */
  readonly code: ErrorCode;
  /** The broker's words. */
  readonly reason: string;
  /** When to try again, milliseconds from now; 0 when the broker gave no hint. */
  readonly retryAfterMs: bigint;
}

/** Why a client could not reach its backend. */
export class BrokerClientError extends BrokerError {
  /** Always "BrokerClientError". */
  override readonly name: string = "BrokerClientError";
  /** The failed step. */
  readonly kind: BrokerClientErrorKind;
  /** Set when `kind` is "Refused". */
  readonly refusal: ClientRefusal | undefined;

  /**
   * Makes the error; its code follows from the kind, for a failed connect from the cause.
   *
   * @param kind The failed step.
   * @param message What was attempted, what was seen and what was wanted.
   * @param options `cause` keeps the original error, `refusal` goes with the kind "Refused".
   */
  constructor(
    kind: BrokerClientErrorKind,
    message: string,
    options: ErrorOptions & { refusal?: ClientRefusal } = {},
  ) {
    super(codeOf(kind, options.cause), message, options);
    this.kind = kind;
    this.refusal = options.refusal;
  }

  /** What to do about a refusal depends on this; `undefined` when nothing was refused. */
  get refusalKind(): RefusalKind | undefined {
    return this.refusal === undefined ? undefined : refusalKind(this.refusal.code);
  }
}

function codeOf(kind: BrokerClientErrorKind, cause: unknown): BrokerErrorCode {
  switch (kind) {
    case "Refused":
      return "refused";
    case "BrokerDisabled":
    case "DisableEnv":
      return "config";
    case "Deadline":
      return "deadline";
    case "BrokerConnect":
    case "BackendConnect":
      return BrokerError.is(cause) ? cause.code : "os";
    default:
      return "protocol";
  }
}

/** The message of an error without the code that {@linkcode BrokerError} puts in front. */
export function withoutCode(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return BrokerError.is(error) ? message.slice(`[${error.code}] `.length) : message;
}
