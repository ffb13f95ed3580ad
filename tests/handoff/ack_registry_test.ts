import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEFAULT_HANDOFF_ACK_DEADLINE_MS, HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import { issued, tokenOf, tokenStore } from "./_support.ts";

const backend = { serviceName: "zccache", backendPid: 0 };

function setUp(ackDeadlineMs?: number) {
  const tokens = tokenStore();
  const acks = new HandoffAckRegistry(ackDeadlineMs === undefined ? {} : { ackDeadlineMs });
  const token = issued(tokens, 100);
  const registration = acks.register(token, backend, 100);
  return { tokens, acks, token, registration };
}

describe("ackRegistry.register()", () => {
  test("sets a deadline of 5 s from now by default", () => {
    const { acks, token, registration } = setUp();
    assert.equal(DEFAULT_HANDOFF_ACK_DEADLINE_MS, 5000);
    assert.equal(acks.ackDeadlineMs, 5000);
    assert.deepEqual(registration, { kind: "registered", deadlineMs: 5100 });
    assert.equal(acks.deadlineMsOf(token), 5100);
    assert.deepEqual(acks.pendingBackend(token), backend);
    assert.equal(acks.pendingLength, 1);
    assert.equal(acks.pendingBackend(tokenOf(9)), undefined);
    assert.equal(acks.deadlineMsOf(tokenOf(9)), undefined);
  });

  test("counts a deadline of zero as 1 ms", () => {
    assert.equal(setUp(0).acks.ackDeadlineMs, 1);
  });

  test("replaces the entry of a token, in its turn", () => {
    const { tokens, acks, token } = setUp(10);
    acks.register(tokenOf(9), backend, 101);
    acks.register(token, { serviceName: "fbuild", backendPid: 7 }, 105);
    assert.equal(acks.pendingLength, 2);
    const expired = acks.expireOverdue(tokens, 114).map((entry) => entry.token.toMapKey());
    assert.deepEqual(expired, [tokenOf(9).toMapKey()]);
    assert.deepEqual(acks.pendingBackend(token), { serviceName: "fbuild", backendPid: 7 });
  });

  test("is bounded and says so", () => {
    const acks = new HandoffAckRegistry({ pendingAcksMax: 1 });
    assert.equal(acks.register(tokenOf(1), backend, 0).kind, "registered");
    const full = acks.register(tokenOf(2), backend, 0);
    assert.deepEqual(full, { kind: "limit-reached", pendingAcksMax: 1 });
    assert.equal(acks.pendingBackend(tokenOf(2)), undefined);
    assert.equal(acks.register(tokenOf(1), backend, 0).kind, "registered");
    const clamped = new HandoffAckRegistry({ pendingAcksMax: 0 });
    assert.equal(clamped.register(tokenOf(1), backend, 0).kind, "registered");
  });

  test("keeps a copy of the backend", () => {
    const acks = new HandoffAckRegistry();
    const changing = { serviceName: "zccache", backendPid: 1 };
    acks.register(tokenOf(1), changing, 0);
    changing.backendPid = 2;
    assert.equal(acks.pendingBackend(tokenOf(1))?.backendPid, 1);
  });
});

describe("ackRegistry.acknowledge()", () => {
  test("completes a handoff before its deadline and rejects a second ACK", () => {
    const { tokens, acks, token } = setUp();
    const acknowledged = acks.acknowledge(tokens, token, 140);
    assert.deepEqual(acknowledged, { kind: "acknowledged", token, backend, waitedMs: 40 });
    assert.ok(acknowledged.kind === "acknowledged" && acknowledged.token === token);
    assert.equal(tokens.pendingLength, 0);
    assert.deepEqual(acks.acknowledge(tokens, token, 141), { kind: "TokenNotPending" });
    assert.equal(acks.pendingLength, 0);
  });

  test("takes the deadline itself for too late, and empties both stores", () => {
    const { tokens, acks, token } = setUp();
    const late = acks.acknowledge(tokens, token, 5100);
    assert.deepEqual(late, {
      kind: "AckDeadlineExceeded",
      backend,
      deadlineMs: 5100,
      attemptFailure: "BackendAckTimeout",
    });
    assert.equal(tokens.pendingLength, 0);
    assert.equal(acks.pendingLength, 0);
    assert.deepEqual(acks.acknowledge(tokens, token, 5101), { kind: "TokenNotPending" });
  });

  test("accepts up to the deadline", () => {
    const { tokens, acks, token } = setUp();
    assert.equal(acks.acknowledge(tokens, token, 5099).kind, "acknowledged");
  });

  test("leaves everything alone for a token nobody registered", () => {
    const { tokens, acks } = setUp();
    assert.deepEqual(acks.acknowledge(tokens, tokenOf(99), 100), { kind: "TokenNotPending" });
    const unregistered = issued(tokens, 100);
    assert.deepEqual(acks.acknowledge(tokens, unregistered, 100), { kind: "TokenNotPending" });
    assert.equal(tokens.pendingLength, 2);
    assert.equal(acks.pendingLength, 1);
  });
});

describe("ackRegistry.abandon()", () => {
  test("forgets the entry and revokes the token", () => {
    const { tokens, acks, token } = setUp();
    assert.deepEqual(acks.abandon(tokens, token), backend);
    assert.equal(tokens.pendingLength, 0);
    assert.equal(acks.pendingLength, 0);
    assert.equal(acks.abandon(tokens, token), undefined);
  });

  test("revokes the token also without an entry", () => {
    const { tokens, acks } = setUp();
    const other = issued(tokens, 100);
    assert.equal(acks.abandon(tokens, other), undefined);
    assert.equal(tokens.revoke(other), false);
    assert.equal(acks.pendingLength, 1);
  });
});

describe("ackRegistry.expireOverdue()", () => {
  test("gives up what is overdue as a BackendAckTimeout and revokes its token", () => {
    const { tokens, acks, token } = setUp();
    const fresh = issued(tokens, 200);
    acks.register(fresh, backend, 200);
    assert.deepEqual(acks.expireOverdue(tokens, 5099), []);
    const [expired, ...others] = acks.expireOverdue(tokens, 5100);
    assert.deepEqual(others, []);
    assert.equal(expired?.token, token);
    assert.deepEqual(expired?.backend, backend);
    assert.equal(expired?.attemptFailure, "BackendAckTimeout");
    assert.equal(expired?.fallbackDecision.reason, "BackendAckTimeout");
    assert.equal(tokens.revoke(token), false);
    assert.equal(tokens.revoke(fresh), true);
    assert.deepEqual(acks.acknowledge(tokens, token, 5100), { kind: "TokenNotPending" });
    const presented = tokens.consumeMatching(token, token, 5100);
    assert.equal(!presented.ok && presented.error.kind, "TokenNotPending");
  });
});
