// This module has no I/O.
import { LAUNCH_VARIABLES } from "../../naming/launch_variables.ts";
import type { ProcessIdentity } from "../../host/process_start.ts";
import type { Environment } from "../../naming/platform.ts";

/** The broker that launches. */
export interface BrokerPlace {
  /** Where it serves clients, as an absolute path. */
  readonly endpoint: string;
  /** Its process. */
  readonly process: ProcessIdentity;
}

/** What a launched backend is told. */
export interface LaunchAnnouncement {
  /** The service, as its definition names it. */
  readonly service: string;
  /** The version that is wanted of it. */
  readonly version: string;
  /** The path to serve clients and probes on. */
  readonly endpoint: string;
  /** The path to take handed-over connections on. */
  readonly handoffEndpoint: string;
  /** Broker instance id, which the backend's identity has to repeat as its namespace. */
  readonly instanceId: string;
  /** From whom, or from whose successor, the backend takes handoffs. */
  readonly broker: BrokerPlace;
  /** Seconds without work after which the backend is to end. */
  readonly idleTimeoutSecs: number;
  /** W3C trace context of the Hello; empty when it has none, and then not passed on. */
  readonly traceparent: string;
  /** Vendor part of the trace context; empty when there is none, and then not passed on. */
  readonly tracestate: string;
}

/**
 * The broker's own variables that a launched backend gets, and no others: who the user is, where things are,
 * which language to speak. Whatever else the broker was started with, secrets included, is not the backend's.
 */
export const PASSED_VARIABLES: readonly RegExp[] = [
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|TMPDIR|LANG|LANGUAGE)$/,
  /^LC_[A-Z]+$/,
  /^XDG_[A-Z_]+$/,
  /^SSL_CERT_(?:FILE|DIR)$/,
  /^RUNNING_PROCESS_(?:[A-Z_]+_)?DIR$/,
  // Windows: programs do not start without the first two, the rest is where its folders are.
  /^(?:SystemRoot|SystemDrive|ComSpec|PATHEXT|TEMP|TMP|USERNAME|USERPROFILE|APPDATA|LOCALAPPDATA)$/i,
];

/** The environment of a launched backend (protocol 6.10). */
export function launchEnvironment(own: Environment, launch: LaunchAnnouncement): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && PASSED_VARIABLES.some((pattern) => pattern.test(name))) {
      environment[name] = value;
    }
  }
  environment[LAUNCH_VARIABLES.service] = launch.service;
  environment[LAUNCH_VARIABLES.version] = launch.version;
  environment[LAUNCH_VARIABLES.endpoint] = launch.endpoint;
  environment[LAUNCH_VARIABLES.handoffEndpoint] = launch.handoffEndpoint;
  environment[LAUNCH_VARIABLES.namespace] = launch.instanceId;
  environment[LAUNCH_VARIABLES.instance] = launch.instanceId;
  const { endpoint, process: { pid, startMark } } = launch.broker;
  environment[LAUNCH_VARIABLES.brokerPid] = String(pid);
  environment[LAUNCH_VARIABLES.brokerStartMark] = startMark;
  environment[LAUNCH_VARIABLES.brokerEndpoint] = endpoint;
  environment[LAUNCH_VARIABLES.idleTimeoutSecs] = String(launch.idleTimeoutSecs);
  if (launch.traceparent !== "") environment[LAUNCH_VARIABLES.traceparent] = launch.traceparent;
  if (launch.tracestate !== "") environment[LAUNCH_VARIABLES.tracestate] = launch.tracestate;
  return environment;
}
