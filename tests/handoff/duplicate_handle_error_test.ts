import assert from "node:assert/strict";
import test from "node:test";
import { BrokerError } from "../../src/errors.ts";
import {
  DuplicateHandleError,
  type DuplicateHandleErrorKind,
  duplicateHandleErrorOf,
} from "../../src/handoff/duplicate_handle_error.ts";

test("DuplicateHandleError maps each kind to the fallback reason of protocol 7.10", () => {
  const reasons: Record<DuplicateHandleErrorKind, string> = {
    UnsupportedPlatform: "ServicePolicyDisabled",
    CannotOpenBackend: "PermissionDenied",
    PermissionDenied: "PermissionDenied",
    DuplicateFailed: "PermissionDenied",
    IntegrityMismatch: "IntegrityMismatch",
    BackendAckTimeout: "BackendAckTimeout",
  };
  for (const [kind, reason] of Object.entries(reasons)) {
    const error = new DuplicateHandleError(kind as DuplicateHandleErrorKind, "seen");
    assert.equal(error.fallbackReason, reason);
    assert.equal(error.attemptFailure, kind === "UnsupportedPlatform" ? undefined : reason);
    assert.ok(BrokerError.is(error));
  }
});

test("duplicateHandleErrorOf() sorts Windows errors as protocol 7.10 does", () => {
  const cases = [
    ["OpenProcess", 5, "PermissionDenied"],
    ["OpenProcess", 87, "CannotOpenBackend"],
    ["DuplicateHandle", 5, "PermissionDenied"],
    ["DuplicateHandle", 6, "DuplicateFailed"],
    ["DuplicateHandle", undefined, "DuplicateFailed"],
  ] as const;
  for (const [call, code, kind] of cases) {
    const error = duplicateHandleErrorOf(call, code);
    assert.equal(error.kind, kind);
    assert.ok(error.detail.includes(call));
    assert.match(error.detail, call === "OpenProcess" ? /backend's process/ : /the connection/);
    assert.ok(error.detail.includes(code === undefined ? "invalid" : String(code)));
  }
});
