import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { acceptHandedOff } from "../../src/handoff/accept_handed_off.ts";
import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import { fallBack } from "../../src/handoff/fallback_reason.ts";
import { HandoffFallbackState } from "../../src/handoff/fallback_state.ts";
import { executeUnixHandoffWithTransport } from "../../src/handoff/orchestrate_unix.ts";
import { executeWindowsHandoffWithTransport } from "../../src/handoff/orchestrate_windows.ts";
import { issued, tokenBytesOf, tokenStore } from "./_support.ts";

/** The broker's books with one handoff in them, and the backend's own store with the same token. */
function started() {
  const tokens = tokenStore();
  const acks = new HandoffAckRegistry();
  const token = issued(tokens, 0);
  acks.register(token, { serviceName: "svc", backendPid: 77 }, 0);
  const backend = tokenStore();
  backend.register(token, 0);
  return { books: { tokens, acks }, token, backend };
}

const observed = { awaitBackendAck: () => Promise.resolve({ kind: "observed", atMs: 20 } as const) };
const clock = () => 10;

describe("what a transport passed is accepted by the backend once, and its token used up on both sides", () => {
  test("by SCM_RIGHTS", async () => {
    const { books, token, backend } = started();
    const request = { fd: 9, backendSocket: "/run/ho.sock", token };
    const outcome = await executeUnixHandoffWithTransport(
      books,
      request,
      () => Promise.resolve({ ok: true }),
      observed,
      clock,
    );
    assert.ok(outcome.kind === "completed");
    const handed = { expectedToken: token, presentedBytes: token.toBytes(), connection: outcome.brokerFd };
    assert.deepEqual(acceptHandedOff(backend, handed, 10), { kind: "accepted", connection: 9 });
    const replay = acceptHandedOff(backend, handed, 10);
    assert.equal(replay.kind === "rejected" && replay.rejection.kind, "TokenNotPending");
    assert.deepEqual([books.tokens.pendingLength, books.acks.pendingLength], [0, 0]);
  });

  test("by DuplicateHandle", async () => {
    const { books, token, backend } = started();
    const outcome = await executeWindowsHandoffWithTransport(
      books,
      { pipeHandle: 4n, backendPid: 77, token },
      {
        ...observed,
        duplicate: () => Promise.resolve({ ok: true, backendHandle: 5n }),
        deliver: () => Promise.resolve({ ok: true }),
        clock,
      },
    );
    assert.ok(outcome.kind === "completed");
    const handed = {
      expectedToken: token,
      presentedBytes: token.toBytes(),
      connection: outcome.backendHandle,
    };
    assert.deepEqual(acceptHandedOff(backend, handed, 10), { kind: "accepted", connection: 5n });
    const replay = acceptHandedOff(backend, handed, 10);
    assert.equal(replay.kind === "rejected" && replay.rejection.kind, "TokenNotPending");
    assert.deepEqual([books.tokens.pendingLength, books.acks.pendingLength], [0, 0]);
  });
});

test("a backend's rejection is a silent reconnect, and a retry with the right token works", () => {
  const { token, backend } = started();
  const wrong = { expectedToken: token, presentedBytes: tokenBytesOf(99), connection: "c" };
  const rejected = acceptHandedOff(backend, wrong, 10);
  assert.ok(rejected.kind === "rejected");
  assert.deepEqual([rejected.rejection.kind, rejected.connection], ["TokenMismatch", "c"]);
  const decision = new HandoffFallbackState().recordFailedAttempt("svc", "IntegrityMismatch", 0);
  assert.deepEqual(decision, fallBack("IntegrityMismatch"));
  assert.deepEqual([decision.usesBackendReconnect, decision.sendsClientError], [true, false]);
  const right = { ...wrong, presentedBytes: token.toBytes() };
  assert.equal(acceptHandedOff(backend, right, 10).kind, "accepted");
});
