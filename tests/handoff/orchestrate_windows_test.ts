import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AckWait } from "../../src/handoff/ack_wait.ts";
import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import { duplicateHandleErrorOf } from "../../src/handoff/duplicate_handle_error.ts";
import {
  type DuplicateHandleResult,
  executeWindowsHandoffWithTransport,
  type OfferDelivery,
  type WindowsHandoffOutcome,
} from "../../src/handoff/orchestrate_windows.ts";
import { issued, tokenStore } from "./_support.ts";

const backend = { serviceName: "zccache", backendPid: 77 };

interface Script {
  duplicate?: () => Promise<DuplicateHandleResult>;
  deliver?: () => Promise<OfferDelivery>;
  wait?: () => Promise<AckWait>;
}

/** Runs the orchestrator against scripted parts and notes what it called; both stores must end empty. */
async function run({ duplicate, deliver, wait }: Script) {
  const tokens = tokenStore();
  const acks = new HandoffAckRegistry();
  const token = issued(tokens, 0);
  acks.register(token, backend, 0);
  const calls: unknown[] = [];
  const outcome = await executeWindowsHandoffWithTransport(
    { tokens, acks },
    { pipeHandle: 0x44n, backendPid: 77, token },
    {
      duplicate: (request) => {
        calls.push(["duplicate", request.pipeHandle, request.backendPid, request.token === token]);
        return duplicate === undefined ? Promise.resolve({ ok: true, backendHandle: 0x1f4n }) : duplicate();
      },
      deliver: (backendHandle, offered) => {
        calls.push(["deliver", backendHandle, offered === token]);
        return deliver === undefined ? Promise.resolve({ ok: true }) : deliver();
      },
      awaitBackendAck: (waitedFor, deadlineMs) => {
        calls.push(["wait", waitedFor === token, deadlineMs]);
        return wait === undefined ? Promise.resolve({ kind: "observed", atMs: 40 }) : wait();
      },
      clock: () => 10,
    },
  );
  assert.equal(tokens.pendingLength, 0);
  assert.equal(acks.pendingLength, 0);
  const replay = tokens.consumeMatching(token, token, 50);
  assert.equal(!replay.ok && replay.error.kind, "TokenNotPending");
  return { outcome, calls };
}

function failed(outcome: WindowsHandoffOutcome) {
  assert.ok(outcome.kind === "fallback", outcome.kind);
  const { stage, decision, leakedBackendHandle, owner, detail } = outcome;
  assert.equal(decision.sendsClientError, false);
  return { stage, reason: decision.reason, leakedBackendHandle, owner, detail };
}

describe("executeWindowsHandoffWithTransport()", () => {
  test("duplicates, delivers, waits, completes, and uses the token up", async () => {
    const { outcome, calls } = await run({});
    assert.deepEqual(calls, [
      ["duplicate", 0x44n, 77, true],
      ["deliver", 0x1f4n, true],
      ["wait", true, 5000],
    ]);
    assert.ok(outcome.kind === "completed");
    assert.equal(outcome.backendHandle, 0x1f4n);
    assert.equal(outcome.acknowledged.waitedMs, 40);
    assert.deepEqual(outcome.acknowledged.backend, backend);
  });

  test("delivers nothing when the handle could not be duplicated", async () => {
    const error = duplicateHandleErrorOf("OpenProcess", 5);
    const { outcome, calls } = await run({ duplicate: () => Promise.resolve({ ok: false, error }) });
    assert.deepEqual(failed(outcome), {
      stage: "Duplicate",
      reason: "PermissionDenied",
      leakedBackendHandle: undefined,
      owner: "broker",
      detail: error.detail,
    });
    assert.equal(calls.length, 1);
  });

  test("records the duplicate left in the backend when the offer could not be delivered", async () => {
    for (const [bytesSent, owner] of [[0, "broker"], [1, "backend"]] as const) {
      const deliver = () => Promise.resolve({ ok: false, detail: "pipe closed", bytesSent } as const);
      const { outcome, calls } = await run({ deliver });
      assert.deepEqual(failed(outcome), {
        stage: "Deliver",
        reason: "BackendAckTimeout",
        leakedBackendHandle: 0x1f4n,
        owner,
        detail: "pipe closed",
      });
      assert.equal(calls.length, 2);
    }
  });

  test("falls back as BackendAckTimeout with the duplicate recorded when no ACK is seen", async () => {
    const cases = [["not-observed", "backend"], ["rejected", "broker"]] as const;
    for (const [kind, owner] of cases) {
      const { outcome } = await run({ wait: () => Promise.resolve({ kind, detail: "no" }) });
      const leakedBackendHandle = 0x1f4n;
      const wanted = {
        stage: "AwaitAck",
        reason: "BackendAckTimeout",
        leakedBackendHandle,
        owner,
        detail: "no",
      };
      assert.deepEqual(failed(outcome), wanted);
    }
  });

  test("lets the registry reject an ACK that was observed past the registered deadline", async () => {
    const { outcome } = await run({ wait: () => Promise.resolve({ kind: "observed", atMs: 5000 }) });
    const { stage, reason, leakedBackendHandle } = failed(outcome);
    assert.deepEqual([stage, reason, leakedBackendHandle], ["Acknowledge", "BackendAckTimeout", 0x1f4n]);
  });

  test("turns whatever its parts throw into a fallback of that stage", async () => {
    const boom = () => {
      throw new Error("boom");
    };
    const duplicate = failed((await run({ duplicate: boom })).outcome);
    assert.equal(duplicate.stage, "Duplicate");
    assert.equal(duplicate.reason, "PermissionDenied");
    const deliver = failed((await run({ deliver: boom })).outcome);
    assert.deepEqual([deliver.stage, deliver.owner, deliver.detail], ["Deliver", "backend", "boom"]);
    const wait = failed((await run({ wait: () => Promise.reject("a plain text") })).outcome);
    assert.deepEqual([wait.stage, wait.detail], ["AwaitAck", "a plain text"]);
  });
});
