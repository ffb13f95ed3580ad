// This module has no I/O.
import { ErrorCode } from "./gen/broker_v1_envelope_pb.ts";

/** An {@linkcode ErrorCode} as the reference's texts spell it. */
export type ErrorCodeName =
  | "Unspecified"
  | "ErrorVersionUnsupported"
  | "ErrorServiceUnknown"
  | "ErrorBackendSpawnFailed"
  | "ErrorRateLimited"
  | "ErrorShuttingDown"
  | "ErrorPeerRejected"
  | "ErrorInternal"
  | "ErrorVersionBlocked"
  | "ErrorFdPressure";

const NAMES: Readonly<Record<number, ErrorCodeName>> = {
  [ErrorCode.ERROR_CODE_UNSPECIFIED]: "Unspecified",
  [ErrorCode.ERROR_VERSION_UNSUPPORTED]: "ErrorVersionUnsupported",
  [ErrorCode.ERROR_SERVICE_UNKNOWN]: "ErrorServiceUnknown",
  [ErrorCode.ERROR_BACKEND_SPAWN_FAILED]: "ErrorBackendSpawnFailed",
  [ErrorCode.ERROR_RATE_LIMITED]: "ErrorRateLimited",
  [ErrorCode.ERROR_SHUTTING_DOWN]: "ErrorShuttingDown",
  [ErrorCode.ERROR_PEER_REJECTED]: "ErrorPeerRejected",
  [ErrorCode.ERROR_INTERNAL]: "ErrorInternal",
  [ErrorCode.ERROR_VERSION_BLOCKED]: "ErrorVersionBlocked",
  [ErrorCode.ERROR_FD_PRESSURE]: "ErrorFdPressure",
};

/** What a caller tells refusals apart by (protocol 5.3). */
export type RefusalKind =
  | "VersionUnsupported"
  | "VersionBlocked"
  | "ServiceUnknown"
  | "RateLimited"
  | "ShuttingDown"
  | "Other";

const KINDS: Readonly<Record<number, RefusalKind>> = {
  [ErrorCode.ERROR_VERSION_UNSUPPORTED]: "VersionUnsupported",
  [ErrorCode.ERROR_VERSION_BLOCKED]: "VersionBlocked",
  [ErrorCode.ERROR_SERVICE_UNKNOWN]: "ServiceUnknown",
  [ErrorCode.ERROR_RATE_LIMITED]: "RateLimited",
  [ErrorCode.ERROR_SHUTTING_DOWN]: "ShuttingDown",
};

/** The code itself, or `ERROR_CODE_UNSPECIFIED` for a number that this version does not know. */
export function knownErrorCode(code: number): ErrorCode {
  return Object.hasOwn(NAMES, code) ? code as ErrorCode : ErrorCode.ERROR_CODE_UNSPECIFIED;
}

/** The code's name in the reference's texts. */
export function errorCodeName(code: ErrorCode): ErrorCodeName {
  return NAMES[code] ?? "Unspecified";
}

/** The class a refusal's code belongs to. */
export function refusalKind(code: ErrorCode): RefusalKind {
  return KINDS[code] ?? "Other";
}
