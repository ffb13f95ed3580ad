// This module has no I/O.
import { BrokerError } from "../../errors.ts";

/**
 * Why a backend could not be launched: the first four in the reference's names, which has no wait that the
 * others could come from.
 */
export type LaunchErrorKind =
  | "EmptyBinaryPath"
  | "EmptyPerVersionBinaryDir"
  | "BinaryOutsideAllowRoot"
  | "CollisionExhausted"
  /** A path of the definition cannot be resolved. */
  | "Canonicalize"
  /** A label of the definition cannot be used. */
  | "Label"
  /** The system does not start the program. */
  | "Spawn"
  /** The process ended before it proved itself. */
  | "Exited"
  /** The process did not serve its endpoint in time. */
  | "Timeout"
  /** Whoever serves the endpoint is not the process that was started. */
  | "NotTheChild";

/** A backend could not be launched. */
export class LaunchError extends BrokerError {
  /** Always "LaunchError". */
  override readonly name: string = "LaunchError";
  /** What could not be done. */
  readonly kind: LaunchErrorKind;
  /** The text that reaches clients inside a refusal. */
  readonly detail: string;

  /** Makes the error; its code follows from the kind. */
  constructor(kind: LaunchErrorKind, detail: string, options?: ErrorOptions) {
    super(kind === "Timeout" ? "deadline" : kind === "NotTheChild" ? "peer-rejected" : "os", detail, options);
    this.kind = kind;
    this.detail = detail;
  }
}
