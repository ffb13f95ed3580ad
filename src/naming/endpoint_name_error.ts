// This module has no I/O.
import { BrokerError } from "../errors.ts";
import { quotedText } from "./quoted_text.ts";

/** Why no endpoint name or path can be made (protocol 3.2 and 3.3). */
export type EndpointNameErrorKind = "InvalidName" | "PathTooLong";

/** A name breaks the rules, or the path made of it does not fit the platform. */
export class EndpointNameError extends BrokerError {
  /** The name of this class. */
  override readonly name: string = "EndpointNameError";
  /** Which of the two. */
  readonly kind: EndpointNameErrorKind;
  /** The reference's text, which reaches the wire inside refusals. */
  readonly detail: string;

  /**
   * Makes the error.
   *
   * @param kind Which of the two.
   * @param detail The reference's text.
   */
  constructor(kind: EndpointNameErrorKind, detail: string) {
    super("config", detail);
    this.kind = kind;
    this.detail = detail;
  }
}

/**
 * The error for a name that breaks a rule of protocol 3.3.
 *
 * @param name The name as given.
 * @param reason One of the reason strings of protocol 3.3.
 */
export function invalidName(name: string, reason: string): EndpointNameError {
  return new EndpointNameError("InvalidName", `invalid name ${quotedText(name)}: ${reason}`);
}

/**
 * The error for a path that the platform cannot hold.
 *
 * @param lengthBytes Length of the path made.
 * @param maxBytes The longest that fits.
 * @param label What limits it, for example `Linux sun_path`.
 */
export function pathTooLong(lengthBytes: number, maxBytes: number, label: string): EndpointNameError {
  return new EndpointNameError("PathTooLong", `derived path exceeds ${label} (${lengthBytes} > ${maxBytes})`);
}
