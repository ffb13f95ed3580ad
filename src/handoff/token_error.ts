// This module has no I/O.
import { BrokerError, type BrokerErrorCode } from "../errors.ts";

/** What can go wrong with a token in a store; the reference's variant names (protocol 7.3). */
export type HandoffTokenErrorKind =
  | "Random"
  | "PendingLimitReached"
  | "CollisionExhausted"
  | "TokenMismatch"
  | "TokenExpired"
  | "TokenNotPending";

const CODES: Readonly<Record<HandoffTokenErrorKind, BrokerErrorCode>> = {
  Random: "os",
  PendingLimitReached: "refused",
  CollisionExhausted: "refused",
  TokenMismatch: "peer-rejected",
  TokenExpired: "deadline",
  TokenNotPending: "peer-rejected",
};

/** A token could not be issued or was not accepted. Handed back as a value, never thrown by a store. */
export class HandoffTokenError extends BrokerError {
  /** Always "HandoffTokenError". */
  override readonly name = "HandoffTokenError";
  /** Which of the six failures. */
  readonly kind: HandoffTokenErrorKind;
  /** The text without the code; for the last three kinds the one that travels in an ACK (protocol 8.1). */
  readonly detail: string;

  /**
   * Makes the error; its code follows from the kind.
   *
   * @param kind Which failure.
   * @param detail What was seen and wanted, without any byte of a token.
   * @param options `cause` keeps the original error.
   */
  constructor(kind: HandoffTokenErrorKind, detail: string, options?: ErrorOptions) {
    super(CODES[kind], detail, options);
    this.kind = kind;
    this.detail = detail;
  }
}
