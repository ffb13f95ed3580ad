// This module has no I/O.
import { BrokerError } from "../errors.ts";
import type { ProcessIdentity } from "../host/process_start.ts";
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
  /** Seconds without work after which the backend is to end; `undefined` when nobody has said. */
  readonly idleTimeoutSecs: number | undefined;
}

/** The broker that launched a backend. */
export interface LaunchingBroker {
  /** Where it, or its successor, serves clients. */
  readonly endpoint: string;
  /** Its process. */
  readonly process: ProcessIdentity;
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
    idleTimeoutSecs: options.idleTimeoutSecs ?? wholeNumber("idleTimeoutSecs", environment),
  };
}

/**
 * The broker that launched this process, if one of ours did.
 *
 * @param environment Empty when the caller has said everything.
 * @throws {BrokerError} With code "config" when the environment names one only in part.
 */
export function launchingBroker(environment: Environment): LaunchingBroker | undefined {
  const pid = wholeNumber("brokerPid", environment);
  const endpoint = environment[LAUNCH_VARIABLES.brokerEndpoint];
  const startMark = environment[LAUNCH_VARIABLES.brokerStartMark];
  if (pid === undefined && !endpoint && !startMark) return undefined;
  if (pid !== undefined && endpoint && startMark) return { endpoint, process: { pid, startMark } };
  const { brokerPid, brokerEndpoint, brokerStartMark } = LAUNCH_VARIABLES;
  throw new BrokerError(
    "config",
    `Cannot tell which broker launched this process: of ${brokerPid}, ${brokerStartMark} and ` +
      `${brokerEndpoint} it has some and not all; start it with all of them or none`,
  );
}

/** The largest value of the wire's fields that these numbers go to. */
const UINT32_MAX = 2 ** 32 - 1;

function wholeNumber(name: "brokerPid" | "idleTimeoutSecs", environment: Environment): number | undefined {
  const text = environment[LAUNCH_VARIABLES[name]];
  if (!text) return undefined;
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value <= UINT32_MAX) return value;
  throw new BrokerError(
    "config",
    `Cannot serve as launched: ${LAUNCH_VARIABLES[name]} is no whole number of 32 bits`,
  );
}

function required(field: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new BrokerError(
    "config",
    `Cannot serve a backend: it has no ${field}, and no broker has launched it; give one`,
  );
}
