// This module has no I/O.
import { BrokerError } from "../errors.ts";
import { BrokerIsolation } from "../wire/gen/broker_v1_service_def_pb.ts";
import { explicitInstanceName, privateBrokerName, sharedBrokerName } from "./endpoint_name.ts";
import { requireName, serviceNameFault } from "./validate_name.ts";

/** Which broker serves a service (protocol 3.7). */
export type BrokerInstance =
  | { readonly kind: "private"; readonly service: string }
  | { readonly kind: "shared" }
  | { readonly kind: "explicit"; readonly name: string };

/** The part of a service definition that decides on the instance. */
export interface InstanceChoice {
  /** The service's name. */
  readonly serviceName: string;
  /** A number of `BrokerIsolation`. */
  readonly isolation: number;
  /** The instance's name, for the explicit isolation. */
  readonly explicitInstance: string;
}

/** Reasons of isolation errors; they reach the wire inside refusals. */
export const ISOLATION_REASONS = {
  unknown: "unknown BrokerIsolation value",
  missingInstance: "EXPLICIT_INSTANCE requires explicit_instance",
  unwantedInstance: "explicit_instance must be empty unless isolation is EXPLICIT_INSTANCE",
} as const;

/** The isolation fields of a service definition name no instance. */
export class BrokerInstanceError extends BrokerError {
  /** The name of this class. */
  override readonly name: string = "BrokerInstanceError";
  /** The reference's name for this failure. */
  readonly kind = "InvalidIsolation";
  /** The reference's text, which reaches the wire inside refusals. */
  readonly detail: string;

  /**
   * Makes the error.
   *
   * @param reason One of {@linkcode ISOLATION_REASONS}.
   */
  constructor(reason: string) {
    const detail = `broker instance isolation is invalid: ${reason}`;
    super("config", detail);
    this.detail = detail;
  }
}

/**
 * The broker instance that a service definition asks for (protocol 3.7).
 *
 * @throws {BrokerInstanceError} For an unknown isolation, or an explicit one without a name.
 * @throws {EndpointNameError} With kind `InvalidName`.
 */
export function brokerInstance(choice: InstanceChoice): BrokerInstance {
  requireName(serviceNameFault, choice.serviceName);
  switch (choice.isolation) {
    case BrokerIsolation.PRIVATE_BROKER:
      return { kind: "private", service: choice.serviceName };
    case BrokerIsolation.SHARED_BROKER:
      return { kind: "shared" };
    case BrokerIsolation.EXPLICIT_INSTANCE:
      if (choice.explicitInstance === "") throw new BrokerInstanceError(ISOLATION_REASONS.missingInstance);
      requireName(serviceNameFault, choice.explicitInstance);
      return { kind: "explicit", name: choice.explicitInstance };
    default:
      throw new BrokerInstanceError(ISOLATION_REASONS.unknown);
  }
}

/** The instance's id: registry keys, the namespace of backend endpoints and admin replies carry it. */
export function brokerInstanceId(instance: BrokerInstance): string {
  switch (instance.kind) {
    case "private":
      return `private:${instance.service}`;
    case "shared":
      return "shared";
    case "explicit":
      return `explicit:${instance.name}`;
  }
}

/**
 * The bare endpoint name of the instance's broker.
 *
 * @param instance The instance.
 * @param userHash The user's `hash16`.
 * @throws {EndpointNameError} With kind `InvalidName`.
 */
export function brokerInstanceEndpointName(instance: BrokerInstance, userHash: string): string {
  switch (instance.kind) {
    case "private":
      return privateBrokerName(userHash, instance.service);
    case "shared":
      return sharedBrokerName(userHash);
    case "explicit":
      return explicitInstanceName(userHash, instance.name);
  }
}
