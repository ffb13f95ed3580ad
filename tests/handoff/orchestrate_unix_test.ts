import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { AckWait } from "../../src/handoff/ack_wait.ts";
import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import {
  executeUnixHandoffWithTransport,
  type ScmRightsResult,
  type UnixHandoffOutcome,
} from "../../src/handoff/orchestrate_unix.ts";
import { scmRightsErrorOf } from "../../src/handoff/scm_rights_error.ts";
import { issued, tokenStore } from "./_support.ts";

const backend = { serviceName: "zccache", backendPid: 0 };
const REGISTERED_MS = 1000;
const SENT_MS = 1010;

interface Script {
  send?: () => Promise<ScmRightsResult>;
  wait?: () => Promise<AckWait>;
}

/** Runs the orchestrator against scripted parts and notes what it called. */
async function run({ send, wait }: Script) {
  const tokens = tokenStore();
  const acks = new HandoffAckRegistry();
  const token = issued(tokens, REGISTERED_MS);
  acks.register(token, backend, REGISTERED_MS);
  const calls: unknown[] = [];
  const outcome = await executeUnixHandoffWithTransport(
    { tokens, acks },
    { fd: 9, backendSocket: "/run/handoff", token },
    (request) => {
      calls.push(["send", request.fd, request.backendSocket, request.token === token]);
      return send === undefined ? Promise.resolve({ ok: true }) : send();
    },
    {
      awaitBackendAck(waitedFor, deadlineMs) {
        calls.push(["wait", waitedFor === token, deadlineMs]);
        return wait === undefined ? Promise.resolve({ kind: "observed", atMs: 1050 }) : wait();
      },
    },
    () => SENT_MS,
  );
  return { outcome, calls, tokens, acks, token };
}

function failed(outcome: UnixHandoffOutcome) {
  assert.ok(outcome.kind === "fallback", outcome.kind);
  const { stage, decision, brokerFd, fdReachedBackend, owner, detail } = outcome;
  assert.equal(brokerFd, 9);
  assert.equal(decision.usesBackendReconnect, true);
  return { stage, reason: decision.reason, fdReachedBackend, owner, detail };
}

function sendFailure(errno: string, bytesSent: number): Script {
  const error = scmRightsErrorOf({ call: "sendmsg", errno, bytesSent });
  return { send: () => Promise.resolve({ ok: false, error }) };
}

describe("executeUnixHandoffWithTransport()", () => {
  test("sends, waits, completes, and uses the token up", async () => {
    const { outcome, calls, tokens, acks, token } = await run({});
    assert.deepEqual(calls, [["send", 9, "/run/handoff", true], ["wait", true, 6000]]);
    assert.ok(outcome.kind === "completed");
    assert.equal(outcome.brokerFd, 9);
    assert.equal(outcome.acknowledged.token, token);
    assert.deepEqual(outcome.acknowledged.backend, backend);
    assert.equal(outcome.acknowledged.waitedMs, 50);
    assert.equal(tokens.pendingLength, 0);
    assert.equal(acks.pendingLength, 0);
    const replay = tokens.consumeMatching(token, token, 1060);
    assert.equal(!replay.ok && replay.error.kind, "TokenNotPending");
  });

  test("falls back without waiting when the descriptor could not be sent", async () => {
    const { outcome, calls, tokens, acks } = await run(sendFailure("EPIPE", 0));
    assert.deepEqual(failed(outcome), {
      stage: "Send",
      reason: "BackendAckTimeout",
      fdReachedBackend: false,
      owner: "broker",
      detail: "Cannot pass the connection: EPIPE after 0 bytes",
    });
    assert.equal(calls.length, 1);
    assert.equal(tokens.pendingLength, 0);
    assert.equal(acks.pendingLength, 0);
  });

  test("falls back as PermissionDenied when sending is forbidden", async () => {
    const { outcome } = await run(sendFailure("EACCES", 0));
    assert.equal(failed(outcome).reason, "PermissionDenied");
  });

  test("rule 17: counts a partial send, and a failed offer behind a sent descriptor, as reached", async () => {
    for (const bytesSent of [1, 15, 16, 30]) {
      const { stage, fdReachedBackend, owner } = failed((await run(sendFailure("EPIPE", bytesSent))).outcome);
      assert.deepEqual([stage, fdReachedBackend, owner], ["Send", true, "backend"], `${bytesSent} bytes`);
    }
  });

  test("rule 17: counts a transport that throws as one that may have sent", async () => {
    const thrown = new Error("boom");
    const inTime: Script[] = [{ send: () => Promise.reject(thrown) }, {
      send: () => {
        throw thrown;
      },
    }];
    for (const script of inTime) {
      const { outcome, calls, acks } = await run(script);
      assert.deepEqual(failed(outcome), {
        stage: "Send",
        reason: "BackendAckTimeout",
        fdReachedBackend: true,
        owner: "backend",
        detail: "Cannot pass the connection: boom",
      });
      assert.equal(calls.length, 1);
      assert.equal(acks.pendingLength, 0);
    }
  });

  test("falls back as BackendAckTimeout with the descriptor at the backend when no ACK is seen", async () => {
    const waits: (() => Promise<AckWait>)[] = [
      () => Promise.resolve({ kind: "not-observed", detail: "boom" }),
      () => Promise.reject(new Error("boom")),
      () => {
        throw new Error("boom");
      },
    ];
    for (const wait of waits) {
      const { outcome, tokens, acks } = await run({ wait });
      assert.deepEqual(failed(outcome), {
        stage: "AwaitAck",
        reason: "BackendAckTimeout",
        fdReachedBackend: true,
        owner: "backend",
        detail: "boom",
      });
      assert.equal(tokens.pendingLength, 0);
      assert.equal(acks.pendingLength, 0);
    }
  });

  test("tells an explicit rejection from an ACK nobody saw: the connection is the broker's again", async () => {
    const { outcome, tokens } = await run({
      wait: () => Promise.resolve({ kind: "rejected", detail: "no" }),
    });
    const { stage, owner, detail, fdReachedBackend } = failed(outcome);
    assert.deepEqual([stage, owner, detail, fdReachedBackend], ["AwaitAck", "broker", "no", true]);
    assert.equal(tokens.pendingLength, 0);
  });

  test("lets the registry reject an ACK that was observed past the registered deadline", async () => {
    const { outcome, tokens, acks } = await run({
      wait: () => Promise.resolve({ kind: "observed", atMs: 6000 }),
    });
    assert.deepEqual(failed(outcome), {
      stage: "Acknowledge",
      reason: "BackendAckTimeout",
      fdReachedBackend: true,
      owner: "backend",
      detail: "the ACK came after its deadline",
    });
    assert.equal(tokens.pendingLength, 0);
    assert.equal(acks.pendingLength, 0);
  });
});

test("executeUnixHandoffWithTransport() rejects an ACK for a token nobody registered, and revokes it", async () => {
  const tokens = tokenStore();
  const acks = new HandoffAckRegistry();
  const token = issued(tokens, 0);
  let deadlineMs = 0;
  const outcome = await executeUnixHandoffWithTransport(
    { tokens, acks },
    { fd: 9, backendSocket: "/run/handoff", token },
    () => Promise.resolve({ ok: true }),
    {
      awaitBackendAck(_, until) {
        deadlineMs = until;
        return Promise.resolve({ kind: "observed", atMs: SENT_MS });
      },
    },
    () => SENT_MS,
  );
  assert.equal(failed(outcome).stage, "Acknowledge");
  assert.equal(failed(outcome).detail, "the ACK's token is not pending");
  assert.equal(deadlineMs, SENT_MS + 5000);
  assert.equal(tokens.pendingLength, 0);
});

test("executeUnixHandoffWithTransport() empties both stores whatever its parts do", async () => {
  const sends = fc.constantFrom("ok", "EPIPE", "EAGAIN", "throw");
  const waits = fc.constantFrom("observed", "rejected", "not-observed", "throw");
  await fc.assert(
    fc.asyncProperty(sends, fc.nat(20), waits, fc.nat(12_000), async (send, sent, wait, atMs) => {
      const thrown = () => Promise.reject(new Error("thrown"));
      const script: Script = {
        send: send === "throw" ? thrown : send === "ok" ? () => Promise.resolve({ ok: true }) : undefined,
        ...(send === "EPIPE" || send === "EAGAIN" ? sendFailure(send, sent) : {}),
        wait: wait === "throw"
          ? thrown
          : () => Promise.resolve(wait === "observed" ? { kind: wait, atMs } : { kind: wait, detail: wait }),
      } as Script;
      const { outcome, tokens, acks } = await run(script);
      assert.equal(tokens.pendingLength, 0);
      assert.equal(acks.pendingLength, 0);
      assert.equal(outcome.kind === "completed", send === "ok" && wait === "observed" && atMs < 6000);
      if (outcome.kind === "fallback" && !outcome.fdReachedBackend) assert.equal(outcome.owner, "broker");
    }),
  );
});
