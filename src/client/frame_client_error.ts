// This module has no I/O.
import { BrokerError, type BrokerErrorCode } from "../errors.ts";

/** What went wrong between a frame client and a backend, in the reference's words (protocol 5.6). */
export type FrameClientErrorKind =
  | "Connect"
  | "Framing"
  | "Decode"
  | "RequestIdMismatch"
  | "PayloadProtocolMismatch"
  | "NotAResponse"
  | "TimedOut"
  | "Busy"
  | "Poisoned";

const CODES: Partial<Record<FrameClientErrorKind, BrokerErrorCode>> = {
  Connect: "os",
  TimedOut: "deadline",
  Busy: "closed",
  Poisoned: "closed",
};

/** Why a request got no answer. */
export class FrameClientError extends BrokerError {
  /** Always "FrameClientError". */
  override readonly name: string = "FrameClientError";
  /** The failed step. */
  readonly kind: FrameClientErrorKind;

  /**
   * Makes the error; its code follows from the kind.
   *
   * @param kind The failed step.
   * @param message What was seen and what was wanted.
   * @param options `cause` keeps the original error.
   */
  constructor(kind: FrameClientErrorKind, message: string, options?: ErrorOptions) {
    super(CODES[kind] ?? "protocol", message, options);
    this.kind = kind;
  }
}
