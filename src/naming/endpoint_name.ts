// This module has no I/O.
import { bytesToHex } from "../wire/bytes.ts";
import { requireName, serviceNameFault, userHashFault } from "./validate_name.ts";

/** What every endpoint name of protocol version 1 starts with. */
const ENDPOINT_NAME_PREFIX = "rpb-v1";

/** Random bytes in a backend's endpoint name: 128 bits, so that nobody can guess or squat it. */
export const BACKEND_NAME_RANDOM_BYTES = 16;

/**
 * The bare name of the broker that serves every service of a user (protocol 3.2).
 *
 * @param userHash The user's `hash16`.
 * @throws {EndpointNameError} With kind `InvalidName`.
 */
export function sharedBrokerName(userHash: string): string {
  return named(userHash, "shared");
}

/**
 * The bare name of the broker that serves one service only (protocol 3.2).
 *
 * @param userHash The user's `hash16`.
 * @param service The service's name.
 * @throws {EndpointNameError} With kind `InvalidName`.
 */
export function privateBrokerName(userHash: string, service: string): string {
  requireName(userHashFault, userHash);
  requireName(serviceNameFault, service);
  return named(userHash, `svc-${service}`);
}

/**
 * The bare name of a broker instance that its user named (protocol 3.2).
 *
 * @param userHash The user's `hash16`.
 * @param instance The instance's name; the same rule as for services.
 * @throws {EndpointNameError} With kind `InvalidName`.
 */
export function explicitInstanceName(userHash: string, instance: string): string {
  requireName(userHashFault, userHash);
  requireName(serviceNameFault, instance);
  return named(userHash, `inst-${instance}`);
}

/**
 * The bare name of one launched backend (protocol 3.2).
 *
 * @param userHash The user's `hash16`.
 * @param random 16 bytes from a cryptographic source.
 * @throws {EndpointNameError} With kind `InvalidName`.
 * @throws {RangeError} When `random` has another length.
 */
export function backendName(userHash: string, random: Uint8Array): string {
  if (random.length !== BACKEND_NAME_RANDOM_BYTES) {
    throw new RangeError(`Cannot name a backend with ${random.length} random bytes: it takes 16`);
  }
  return named(userHash, `be-${bytesToHex(random)}`);
}

function named(userHash: string, rest: string): string {
  requireName(userHashFault, userHash);
  return `${ENDPOINT_NAME_PREFIX}-${userHash}-${rest}`;
}
