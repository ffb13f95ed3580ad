// This module has no I/O.

/** What a caller can tell failures apart by; see each {@linkcode BrokerError}. */
export type BrokerErrorCode =
  | "refused"
  | "deadline"
  | "protocol"
  | "peer-rejected"
  | "unsupported"
  | "closed"
  | "config"
  | "endpoint-taken"
  | "os";

const BRAND: unique symbol = Symbol.for("@running-process/broker/BrokerError") as never;

/**
 * A failure that a caller may handle, told apart by its `code`.
 *
 * Expected outcomes (a refusal by policy, a fallback to reconnecting) are values wherever the caller
 * decides; this class is thrown when nothing else can be returned.
 */
export class BrokerError extends Error {
  /** The name of the class, for stack traces; each subclass has its own. */
  override readonly name: string = "BrokerError";
  /** What a program tells failures apart by; the message starts with it. */
  readonly code: BrokerErrorCode;

  /**
   * Makes the error; the code is put in front of the message.
   *
   * @param code The class of failure.
   * @param message What was attempted, what was seen and what was wanted.
   * @param options `cause` keeps the original error.
   */
  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(`[${code}] ${message}`, options);
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /**
   * Tells whether a value is a {@linkcode BrokerError}, also one made by another copy of this package.
   *
   * @param value Anything that was caught.
   * @returns Whether `code` can be relied on.
   */
  static is(value: unknown): value is BrokerError {
    return typeof value === "object" && value !== null && BRAND in value;
  }
}
