// This module has no I/O.

/** The variables that tell a launched backend what it is (protocol 6.10); frozen for the life of v1. */
export const LAUNCH_VARIABLES = {
  service: "RUNNING_PROCESS_BROKER_V1_SERVICE_NAME",
  version: "RUNNING_PROCESS_BROKER_V1_SERVICE_VERSION",
  endpoint: "RUNNING_PROCESS_BROKER_V1_BACKEND_PIPE",
  namespace: "RUNNING_PROCESS_BROKER_V1_BACKEND_NAMESPACE",
  instance: "RUNNING_PROCESS_BROKER_V1_INSTANCE",
  traceparent: "RUNNING_PROCESS_BROKER_V1_TRACEPARENT",
  tracestate: "RUNNING_PROCESS_BROKER_V1_TRACESTATE",
  /** Ours: the reference launches backends that take no handoffs. */
  handoffEndpoint: "RUNNING_PROCESS_BROKER_V1_HANDOFF_PIPE",
  /** Ours: the process that launched the backend, from which alone, or from whose successor, it takes handoffs. */
  brokerPid: "RUNNING_PROCESS_BROKER_V1_BROKER_PID",
  /** Ours: when that process started, which tells it from a later one with the same number. */
  brokerStartMark: "RUNNING_PROCESS_BROKER_V1_BROKER_START_MARK",
  /** Ours: where that process, or its successor, serves clients. */
  brokerEndpoint: "RUNNING_PROCESS_BROKER_V1_BROKER_ENDPOINT",
  /** Ours: seconds without work after which the backend is to end. */
  idleTimeoutSecs: "RUNNING_PROCESS_BROKER_V1_IDLE_TIMEOUT_SECS",
} as const;
