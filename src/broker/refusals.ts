// This module has no I/O.
import { ErrorCode } from "../wire/gen/broker_v1_envelope_pb.ts";
import type { Refusal } from "../wire/hello.ts";

/** When a client that was blocked by policy may find the policy changed. */
const POLICY_RETRY_MS = 30_000n;
/** When a backend that is not there may have been started. */
export const BACKEND_RETRY_MS = 1_000n;

/** A refusal, with a retry hint when one is given. */
export function refusal(code: ErrorCode, reason: string, retryAfterMs?: bigint): Refusal {
  return retryAfterMs === undefined ? { code, reason } : { code, reason, retryAfterMs };
}

/** The refusals whose words depend on nothing in the request (protocol 6.7, 6.8). */
export const REFUSALS = {
  protocolRange: refusal(ErrorCode.ERROR_VERSION_UNSUPPORTED, "client protocol range does not include v1"),
  serviceName: refusal(ErrorCode.ERROR_PEER_REJECTED, "invalid service_name"),
  wantedVersion: refusal(ErrorCode.ERROR_PEER_REJECTED, "invalid wanted_version"),
  clientVersion: refusal(ErrorCode.ERROR_PEER_REJECTED, "client_version exceeds 128 bytes"),
  clientLib: refusal(ErrorCode.ERROR_PEER_REJECTED, "client_lib fields exceed 64 bytes"),
  peerPid: refusal(ErrorCode.ERROR_PEER_REJECTED, "peer_pid does not match verified peer"),
  notInTable: refusal(ErrorCode.ERROR_SERVICE_UNKNOWN, "service is not registered"),
  definitionMissing: refusal(ErrorCode.ERROR_SERVICE_UNKNOWN, "service definition was not found"),
  belowMinVersion: refusal(
    ErrorCode.ERROR_VERSION_BLOCKED,
    "wanted_version is below min_version",
    POLICY_RETRY_MS,
  ),
  outsideAllowList: refusal(
    ErrorCode.ERROR_VERSION_BLOCKED,
    "wanted_version is not in version_allow_list",
    POLICY_RETRY_MS,
  ),
  notRegistered: refusal(ErrorCode.ERROR_BACKEND_SPAWN_FAILED, "backend is not registered", BACKEND_RETRY_MS),
  spawnInProgress: refusal(
    ErrorCode.ERROR_RATE_LIMITED,
    "backend spawn already in progress",
    BACKEND_RETRY_MS,
  ),
  shuttingDown: refusal(ErrorCode.ERROR_SHUTTING_DOWN, "broker is shutting down"),
} as const satisfies Record<string, Refusal>;
