import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { isPeerGone, osErrorCode, streamError } from "../../src/transport/os_error.ts";

const withCode = (code: unknown) => Object.assign(new Error("system call failed"), { code });
const named = (name: string) => Object.assign(new Error("system call failed"), { name });

test("osErrorCode() gives the runtime's code and nothing else", () => {
  assert.equal(osErrorCode(withCode("ECONNREFUSED")), "ECONNREFUSED");
  for (const value of [withCode(32), new Error("plain"), undefined, null, "EPIPE", 7]) {
    assert.equal(osErrorCode(value), undefined);
  }
});

test("isPeerGone() knows a peer that left by each runtime's words", () => {
  const codes = ["EPIPE", "ECONNRESET", "ENOTCONN", "ECANCELED", "ERR_STREAM_DESTROYED", "ERR_SOCKET_CLOSED"];
  for (const code of codes) assert.ok(isPeerGone(withCode(code)), code);
  const names = ["BrokenPipe", "ConnectionReset", "NotConnected", "BadResource"];
  for (const name of names) assert.ok(isPeerGone(named(name)), name);
  assert.ok(isPeerGone(new BrokerError("closed", "Cannot write: the connection is closed")));
});

test("isPeerGone() is false for whatever else went wrong", () => {
  const others = [
    withCode("ENOMEM"),
    withCode("EAGAIN"),
    named("Interrupted"),
    new Error("x"),
    undefined,
    null,
  ];
  for (const other of others) assert.equal(isPeerGone(other), false, String(other));
  assert.equal(isPeerGone(new BrokerError("deadline", "late")), false);
  // The code counts where there is one, whatever the name.
  assert.equal(isPeerGone(Object.assign(named("BrokenPipe"), { code: "ENOMEM" })), false);
});

test("streamError() names the act and what was seen, and keeps the cause", () => {
  const cause = withCode("EPIPE");
  const gone = streamError("write", cause);
  assert.equal(gone.message, "[closed] Cannot write: EPIPE");
  assert.equal(gone.cause, cause);
  assert.equal(streamError("read", withCode("ENOMEM")).message, "[os] Cannot read: ENOMEM");
  assert.equal(streamError("read", new Error("odd")).message, "[os] Cannot read: odd");
  assert.equal(streamError("read", "odd").message, "[os] Cannot read: odd");
});

test("streamError() leaves an error of this package as it is", () => {
  const error = new BrokerError("deadline", "late");
  assert.equal(streamError("write", error), error);
});
