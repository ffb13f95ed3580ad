// This module has no I/O.
import { LIBRARY_NAME, LIBRARY_VERSION } from "../version.ts";
import { CAPABILITY_HANDLE_PASSING, CAPABILITY_HANDOFF_ANNOUNCED } from "../wire/constants.ts";
import type { HelloOptions } from "../wire/hello.ts";
import type { ConnectBackendRequest } from "./connect_backend_request.ts";

/**
 * The Hello a client sends (protocol 5.2).
 *
 * A client that will not adopt its connection does not offer it: the broker then passes nothing in vain.
 */
export function helloOptions(options: ConnectBackendRequest, pid: number): HelloOptions {
  return {
    serviceName: options.service,
    wantedVersion: options.version,
    peerPid: pid,
    clientVersion: options.clientVersion ?? "",
    clientCapabilities: capabilities(options.adoptHandedOffConnection ?? "auto"),
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
