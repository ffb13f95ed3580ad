// This module has no I/O.
import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import type { ProbeFailureKind } from "../wire/probe.ts";

/** Why an endpoint did not prove who serves it, in the reference's words (protocol 8.4). */
export type BackendProbeErrorKind = ProbeFailureKind | "EndpointMismatch" | "Connect" | "Io" | "Timeout";

const CODES: Partial<Record<BackendProbeErrorKind, BrokerErrorCode>> = {
  EndpointMismatch: "peer-rejected",
  IdentityMismatch: "peer-rejected",
  Connect: "os",
  Io: "os",
  Timeout: "deadline",
};

/** An endpoint is not served by whom it should be, or that cannot be found out. */
export class BackendProbeError extends BrokerError {
  /** Always "BackendProbeError". */
  override readonly name: string = "BackendProbeError";
  /** The failed step. */
  readonly kind: BackendProbeErrorKind;

  /**
   * Makes the error; its code follows from the kind.
   *
   * @param kind The failed step.
   * @param detail What was seen and what was wanted.
   * @param options `cause` keeps the original error.
   */
  constructor(kind: BackendProbeErrorKind, detail: string, options?: ErrorOptions) {
    super(CODES[kind] ?? "protocol", `Cannot verify a backend: ${detail}`, options);
    this.kind = kind;
  }
}
