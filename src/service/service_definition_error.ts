// This module has no I/O.
import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import { EndpointNameError } from "../naming/endpoint_name_error.ts";
import { quotedText } from "../naming/quoted_text.ts";

/** What is wrong with a service definition (protocol 4.3), in the reference's names. */
export type ServiceDefinitionErrorKind =
  | "Io"
  | "Decode"
  | "InvalidName"
  | "InsecureDirectory"
  | "ServiceNameMismatch"
  | "InvalidPath"
  | "InvalidIsolation";

const CODES: Partial<Record<ServiceDefinitionErrorKind, BrokerErrorCode>> = { Io: "os", Decode: "protocol" };

/** A service definition cannot be loaded, or is not valid. */
export class ServiceDefinitionError extends BrokerError {
  /** The name of this class. */
  override readonly name: string = "ServiceDefinitionError";
  /** What is wrong. */
  readonly kind: ServiceDefinitionErrorKind;
  /** The reference's text, which reaches the wire inside refusals. */
  readonly detail: string;
  /** Whether the file or its directory does not exist: a service nobody has defined. */
  readonly isNotFound: boolean;

  /**
   * Makes the error.
   *
   * @param kind What is wrong.
   * @param detail The reference's text.
   * @param options `cause` keeps the original error.
   */
  constructor(
    kind: ServiceDefinitionErrorKind,
    detail: string,
    options?: ErrorOptions & { isNotFound?: boolean },
  ) {
    super(CODES[kind] ?? "config", detail, options);
    this.kind = kind;
    this.detail = detail;
    this.isNotFound = options?.isNotFound ?? false;
  }
}

/** The error for a path field that a definition must not have. */
export function invalidPath(field: string, path: string, reason: string): ServiceDefinitionError {
  const detail = `service-definition ${field} is invalid: ${quotedText(path)} (${reason})`;
  return new ServiceDefinitionError("InvalidPath", detail);
}

/** The error for isolation fields that contradict each other. */
export function invalidIsolation(reason: string): ServiceDefinitionError {
  return new ServiceDefinitionError("InvalidIsolation", `service-definition isolation is invalid: ${reason}`);
}

/** The same error as one about the definition, when a name in it breaks a rule; any other is left as it is. */
export function asServiceDefinitionError(error: unknown): unknown {
  if (!(error instanceof EndpointNameError)) return error;
  return new ServiceDefinitionError("InvalidName", error.detail, { cause: error });
}
