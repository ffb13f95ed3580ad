import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import { tokenOf, tokenStore } from "./_support.ts";

const DEADLINE_MS = 8;
const ACKS_MAX = 3;

const token = fc.nat(5);
const action = fc.oneof(
  fc.record({ act: fc.constant("register" as const), token }),
  fc.record({ act: fc.constant("acknowledge" as const), token }),
  fc.record({ act: fc.constant("abandon" as const), token }),
  fc.record({ act: fc.constant("expire" as const) }),
);

test("ackRegistry agrees with a naive list, and every token that leaves it is revoked", () => {
  fc.assert(fc.property(fc.array(fc.tuple(action, fc.nat(5)), { maxLength: 60, size: "max" }), (steps) => {
    const tokens = tokenStore({ tokenTtlMs: 1_000_000 });
    const acks = new HandoffAckRegistry({ ackDeadlineMs: DEADLINE_MS, pendingAcksMax: ACKS_MAX });
    let naive: { seed: number; sinceMs: number }[] = [];
    let nowMs = 0;
    const leave = (seed: number) => {
      naive = naive.filter((entry) => entry.seed !== seed);
      assert.equal(tokens.revoke(tokenOf(seed)), false, "revoked already");
    };
    for (const [step, waitMs] of steps) {
      nowMs += waitMs;
      if (step.act === "expire") {
        const overdue = naive.filter(({ sinceMs }) => nowMs >= sinceMs + DEADLINE_MS).map(({ seed }) => seed);
        const expired = acks.expireOverdue(tokens, nowMs);
        assert.deepEqual(expired.map((entry) => entry.token.toMapKey()), overdue.map(mapKey));
        overdue.forEach(leave);
        continue;
      }
      const { act, token: seed } = step;
      const entry = naive.find((pending) => pending.seed === seed);
      if (act === "register") {
        const others = naive.filter((pending) => pending.seed !== seed);
        const isRoom = others.length < ACKS_MAX;
        naive = isRoom ? [...others, { seed, sinceMs: nowMs }] : others;
        tokens.register(tokenOf(seed), nowMs);
        const registration = acks.register(tokenOf(seed), { serviceName: "s", backendPid: seed }, nowMs);
        assert.equal(registration.kind, isRoom ? "registered" : "limit-reached");
      } else if (act === "acknowledge") {
        const isLate = entry !== undefined && nowMs >= entry.sinceMs + DEADLINE_MS;
        const wanted = entry === undefined
          ? "TokenNotPending"
          : isLate
          ? "AckDeadlineExceeded"
          : "acknowledged";
        assert.equal(acks.acknowledge(tokens, tokenOf(seed), nowMs).kind, wanted);
        if (entry !== undefined) leave(seed);
      } else {
        assert.equal(acks.abandon(tokens, tokenOf(seed))?.backendPid, entry?.seed);
        leave(seed);
      }
      assert.equal(acks.pendingLength, naive.length);
      assert.ok(acks.pendingLength <= ACKS_MAX);
    }
  }));
});

function mapKey(seed: number): string {
  return tokenOf(seed).toMapKey();
}
