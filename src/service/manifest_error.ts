// This module has no I/O.
import { BrokerError, type BrokerErrorCode } from "../errors.ts";

/** What is wrong with a manifest (protocol 9), in the reference's names. */
export type ManifestErrorKind =
  | "Io"
  | "Decode"
  | "Encode"
  | "Corruption"
  | "SchemaTooNew"
  | "InvalidName"
  | "MissingParent"
  | "InsecureRegistry";

const CODES: Readonly<Record<ManifestErrorKind, BrokerErrorCode>> = {
  Io: "os",
  Decode: "protocol",
  Encode: "config",
  Corruption: "protocol",
  SchemaTooNew: "unsupported",
  InvalidName: "config",
  MissingParent: "config",
  InsecureRegistry: "config",
};

/** A manifest cannot be read or written, or is not valid. */
export class ManifestError extends BrokerError {
  /** The name of this class. */
  override readonly name: string = "ManifestError";
  /** What is wrong. */
  readonly kind: ManifestErrorKind;
  /** The reference's text. */
  readonly detail: string;

  /**
   * Makes the error.
   *
   * @param kind What is wrong.
   * @param detail The reference's text.
   * @param options `cause` keeps the original error.
   */
  constructor(kind: ManifestErrorKind, detail: string, options?: ErrorOptions) {
    super(CODES[kind], detail, options);
    this.kind = kind;
    this.detail = detail;
  }
}
