import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerClientError, type BrokerClientErrorKind, withoutCode } from "../../src/client/client_error.ts";
import { BrokerError } from "../../src/errors.ts";

test("each kind has the code that callers tell failures apart by", () => {
  const codes: Record<BrokerClientErrorKind, string> = {
    BrokerDisabled: "config",
    DisableEnv: "config",
    BrokerConnect: "os",
    BackendConnect: "os",
    Framing: "protocol",
    DecodeFrame: "protocol",
    DecodeHelloReply: "protocol",
    DecodeAdminReply: "protocol",
    UnexpectedResponseFrame: "protocol",
    MissingHelloReplyResult: "protocol",
    Refused: "refused",
    EmptyBackendPipe: "protocol",
    EarlyDataOutcomeUnknown: "protocol",
    Deadline: "deadline",
  };
  for (const [kind, code] of Object.entries(codes)) {
    const error = new BrokerClientError(kind as BrokerClientErrorKind, "Cannot reach it");
    assert.deepEqual([error.kind, error.code, error.message], [kind, code, `[${code}] Cannot reach it`]);
    assert.ok(BrokerError.is(error));
    assert.equal(error.name, "BrokerClientError");
  }
});

test("a connect that failed has the code of what failed it", () => {
  for (const kind of ["BrokerConnect", "BackendConnect"] as const) {
    const cause = new BrokerError("config", "Cannot use this path");
    const error = new BrokerClientError(kind, "Cannot use this path", { cause });
    assert.deepEqual([error.code, error.cause], ["config", cause]);
    assert.equal(new BrokerClientError(kind, "no", { cause: new Error("x") }).code, "os");
  }
  const cause = new BrokerError("closed", "gone");
  assert.equal(new BrokerClientError("Framing", "no", { cause }).code, "protocol");
});

test("a refusal goes with its error, and with no other", () => {
  const refusal = { code: 8, reason: "blocked", retryAfterMs: 30_000n } as const;
  assert.equal(new BrokerClientError("Refused", "no", { refusal }).refusal, refusal);
  assert.equal(new BrokerClientError("Framing", "no").refusal, undefined);
});

test("withoutCode() gives the message as it was written, once", () => {
  assert.equal(withoutCode(new BrokerError("os", "Cannot connect")), "Cannot connect");
  assert.equal(withoutCode(new BrokerError("os", "[os] twice")), "[os] twice");
  assert.equal(withoutCode(new Error("[os] plain")), "[os] plain");
  assert.equal(withoutCode("text"), "text");
});
