// This module has no I/O.
import { BrokerError } from "../errors.ts";
import { LAUNCH_VARIABLES } from "../naming/launch_variables.ts";
import type { Environment } from "../naming/platform.ts";

/** The options of a backend that a broker decides on when it launches one. */
export interface BackendPlace {
  /** Name of the service. */
  readonly service: string;
  /** Version of the service. */
  readonly version: string;
  /** Where clients connect. */
  readonly endpoint: string;
  /** Where brokers pass connections to. */
  readonly handoffEndpoint: string | undefined;
  /** Broker instance that the backend belongs to. */
  readonly namespace: string;
}

/** The same as a caller gives them: what is left out comes from the broker that launched this process. */
export type BackendPlaceOptions = {
  readonly [Field in keyof BackendPlace]?: BackendPlace[Field] | undefined;
};

/** Whether a caller leaves the place to the broker, so that the environment has to be looked at. */
export function isLeftToBroker({ service, version, endpoint }: BackendPlaceOptions): boolean {
  return service === undefined || version === undefined || endpoint === undefined;
}

/**
 * Where a backend serves: as its caller says, and else as its broker has told it (protocol 8.9).
 *
 * Variables of another service or version are no help: this process was started by a backend of that one, or
 * has the wrong definition.
 *
 * @param environment Empty when the caller has said everything.
 * @throws {BrokerError} With code "config" when something is missing or contradicts the broker.
 */
export function backendPlace(options: BackendPlaceOptions, environment: Environment): BackendPlace {
  const told = (name: keyof typeof LAUNCH_VARIABLES) => environment[LAUNCH_VARIABLES[name]] || undefined;
  const service = required("service", options.service ?? told("service"));
  const version = required("version", options.version ?? told("version"));
  for (const [field, wanted] of [["service", service], ["version", version]] as const) {
    const seen = told(field);
    if (seen === undefined || seen === wanted) continue;
    throw new BrokerError(
      "config",
      `Cannot serve ${field} "${wanted}": a broker launched this process as "${seen}"; ` +
        `correct the service definition, or give an endpoint of its own`,
    );
  }
  return {
    service,
    version,
    endpoint: required("endpoint", options.endpoint ?? told("endpoint")),
    handoffEndpoint: options.handoffEndpoint ?? told("handoffEndpoint"),
    namespace: options.namespace ?? told("namespace") ?? `private:${service}`,
  };
}

function required(field: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new BrokerError(
    "config",
    `Cannot serve a backend: it has no ${field}, and no broker has launched it; give one`,
  );
}
