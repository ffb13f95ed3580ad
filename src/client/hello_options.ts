// This module has no I/O.
import { LIBRARY_NAME, LIBRARY_VERSION } from "../version.ts";
import {
  CAPABILITY_EARLY_DATA,
  CAPABILITY_HANDLE_PASSING,
  CAPABILITY_HANDOFF_ANNOUNCED,
  CAPABILITY_REPEATABLE,
} from "../wire/constants.ts";
import type { HelloOptions } from "../wire/hello.ts";
import type { ConnectBackendRequest } from "./connect_backend_request.ts";

/**
 * The Hello a client sends (protocol 5.2).
 *
 * A client that will not adopt its connection does not offer it: the broker then passes nothing in vain.
 *
 * @param isEarly Whether the first request follows at once.
 */
export function helloOptions(options: ConnectBackendRequest, pid: number, isEarly = false): HelloOptions {
  const { adoptHandedOffConnection = "auto", earlyData } = options;
  return {
    serviceName: options.service,
    wantedVersion: options.version,
    peerPid: pid,
    clientVersion: options.clientVersion ?? "",
    clientCapabilities: capabilities(adoptHandedOffConnection) |
      (isEarly ? CAPABILITY_EARLY_DATA : 0n) |
      (isEarly && earlyData?.repeatable === true ? CAPABILITY_REPEATABLE : 0n),
    clientLibName: options.clientLibName ?? LIBRARY_NAME,
    clientLibVersion: options.clientLibVersion ?? LIBRARY_VERSION,
    clientKeepaliveSecs: options.clientKeepaliveSecs ?? 0n,
    traceparent: options.traceparent ?? "",
    tracestate: options.tracestate ?? "",
  };
}

function capabilities(adopt: "auto" | boolean): bigint {
  if (adopt === false) return 0n;
  return adopt === "auto"
    ? CAPABILITY_HANDLE_PASSING | CAPABILITY_HANDOFF_ANNOUNCED
    : CAPABILITY_HANDLE_PASSING;
}
