import assert from "node:assert/strict";
import test from "node:test";
import { BrokerClientError, BrokerDisableEnvError, ErrorCode } from "../../mod.ts";

test("refusalKind sorts every code a broker may refuse with, and what it does not know under Other", () => {
  const kinds: [ErrorCode, string][] = [
    [ErrorCode.ERROR_VERSION_UNSUPPORTED, "VersionUnsupported"],
    [ErrorCode.ERROR_VERSION_BLOCKED, "VersionBlocked"],
    [ErrorCode.ERROR_SERVICE_UNKNOWN, "ServiceUnknown"],
    [ErrorCode.ERROR_RATE_LIMITED, "RateLimited"],
    [ErrorCode.ERROR_SHUTTING_DOWN, "ShuttingDown"],
    [ErrorCode.ERROR_CODE_UNSPECIFIED, "Other"],
    [ErrorCode.ERROR_BACKEND_SPAWN_FAILED, "Other"],
    [ErrorCode.ERROR_PEER_REJECTED, "Other"],
    [ErrorCode.ERROR_INTERNAL, "Other"],
    [ErrorCode.ERROR_FD_PRESSURE, "Other"],
  ];
  for (const [code, kind] of kinds) {
    const refusal = { code, reason: "no", retryAfterMs: 0n };
    const error = new BrokerClientError("Refused", "no", { refusal });
    assert.deepEqual([error.refusalKind, error.refusal?.code], [kind, code]);
  }
});

test("refusalKind of an error that is no refusal is undefined", () => {
  for (const kind of ["BrokerConnect", "BackendConnect", "Framing", "EmptyBackendPipe"] as const) {
    assert.equal(new BrokerClientError(kind, "no").refusalKind, undefined);
  }
});

test("BrokerDisableEnvError carries the value that was seen", () => {
  const error = new BrokerDisableEnvError("true", "X must be unset or 1");
  assert.ok(error instanceof BrokerClientError);
  assert.deepEqual([error.kind, error.code, error.value], ["DisableEnv", "config", "true"]);
});
