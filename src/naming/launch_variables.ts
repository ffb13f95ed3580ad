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
} as const;
