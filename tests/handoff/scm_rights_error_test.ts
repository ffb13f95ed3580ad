import assert from "node:assert/strict";
import test from "node:test";
import { BrokerError } from "../../src/errors.ts";
import {
  ScmRightsError,
  type ScmRightsErrorKind,
  scmRightsErrorOf,
} from "../../src/handoff/scm_rights_error.ts";

test("ScmRightsError maps each kind to the fallback reason of protocol 7.8", () => {
  const reasons: Record<ScmRightsErrorKind, string> = {
    UnsupportedPlatform: "ServicePolicyDisabled",
    PermissionDenied: "PermissionDenied",
    BackendSocketUnavailable: "BackendAckTimeout",
    WouldBlock: "BackendAckTimeout",
    SendFailed: "BackendAckTimeout",
    BackendAckTimeout: "BackendAckTimeout",
  };
  for (const [kind, reason] of Object.entries(reasons)) {
    const error = new ScmRightsError(kind as ScmRightsErrorKind, "seen");
    assert.equal(error.fallbackReason, reason);
    assert.equal(error.attemptFailure, kind === "UnsupportedPlatform" ? undefined : reason);
    assert.equal(error.detail, "seen");
    assert.ok(BrokerError.is(error));
  }
});

test("scmRightsErrorOf() sorts error numbers as protocol 7.8 does", () => {
  const table: Record<"connect" | "sendmsg", Record<string, ScmRightsErrorKind>> = {
    connect: {
      EACCES: "PermissionDenied",
      EPERM: "PermissionDenied",
      ENOENT: "BackendSocketUnavailable",
      ECONNREFUSED: "BackendSocketUnavailable",
      EAGAIN: "BackendSocketUnavailable",
      EWOULDBLOCK: "BackendSocketUnavailable",
      EMFILE: "BackendSocketUnavailable",
    },
    sendmsg: {
      EACCES: "PermissionDenied",
      EPERM: "PermissionDenied",
      ECONNREFUSED: "BackendSocketUnavailable",
      ECONNRESET: "BackendSocketUnavailable",
      EPIPE: "BackendSocketUnavailable",
      ENOTCONN: "BackendSocketUnavailable",
      EAGAIN: "WouldBlock",
      EWOULDBLOCK: "WouldBlock",
      EMSGSIZE: "SendFailed",
      ETOOMANYREFS: "SendFailed",
    },
  };
  for (const call of ["connect", "sendmsg"] as const) {
    for (const [errno, kind] of Object.entries(table[call])) {
      const error = scmRightsErrorOf({ call, errno });
      assert.equal(error.kind, kind, `${call} ${errno}`);
      assert.ok(error.detail.includes(errno));
    }
  }
  assert.equal(scmRightsErrorOf({ call: "sendmsg", bytesSent: 7 }).kind, "SendFailed");
});

test("rule 17: one byte sent means that the descriptor reached the backend", () => {
  for (const bytesSent of [1, 15, 16, 40]) {
    assert.equal(scmRightsErrorOf({ call: "sendmsg", errno: "EPIPE", bytesSent }).fdReachedBackend, true);
  }
  assert.equal(scmRightsErrorOf({ call: "sendmsg", errno: "EPIPE" }).fdReachedBackend, false);
  assert.equal(scmRightsErrorOf({ call: "sendmsg", errno: "EPIPE", bytesSent: 0 }).fdReachedBackend, false);
});

test("scmRightsErrorOf() keeps the original error", () => {
  const cause = new Error("original");
  assert.equal(scmRightsErrorOf({ call: "connect", errno: "ENOENT", cause }).cause, cause);
});
