import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { HandoffToken } from "../../src/handoff/handoff_token.ts";
import { tokenOf, tokenStore } from "./_support.ts";

const CAPACITY = 4;
const TTL_MS = 10;

/** The store written down as the protocol text says it: a list, scanned each time. */
class NaiveStore {
  entries: { id: string; expiryMs: number }[] = [];

  issue(id: string, nowMs: number): string {
    this.entries = this.entries.filter((entry) => nowMs < entry.expiryMs);
    if (this.entries.length >= CAPACITY) return "PendingLimitReached";
    this.entries.push({ id, expiryMs: nowMs + TTL_MS });
    return "ok";
  }

  consume(expected: string, presented: string, nowMs: number): string {
    this.entries = this.entries.filter((entry) => nowMs < entry.expiryMs || entry.id === expected);
    const entry = this.entries.find(({ id }) => id === expected);
    if (entry === undefined) return "TokenNotPending";
    const isExpired = nowMs >= entry.expiryMs;
    if (isExpired || expected === presented) this.entries = this.entries.filter((other) => other !== entry);
    return isExpired ? "TokenExpired" : expected === presented ? "ok" : "TokenMismatch";
  }

  revoke(id: string): boolean {
    const before = this.entries.length;
    this.entries = this.entries.filter((entry) => entry.id !== id);
    return this.entries.length < before;
  }
}

const action = fc.oneof(
  fc.record({ act: fc.constant("issue" as const) }),
  fc.record({ act: fc.constant("consume" as const), token: fc.nat(12), presented: fc.nat(12) }),
  fc.record({ act: fc.constant("consume-own" as const), token: fc.nat(12) }),
  fc.record({ act: fc.constant("revoke" as const), token: fc.nat(12) }),
  fc.record({ act: fc.constant("prune" as const) }),
);
const history = fc.array(fc.tuple(action, fc.nat(6)), { maxLength: 60, size: "max" });

test("tokenStore agrees with a naive list over any history", () => {
  fc.assert(fc.property(history, (steps) => {
    const [store, naive] = [tokenStore({ pendingTokensMax: CAPACITY, tokenTtlMs: TTL_MS }), new NaiveStore()];
    const known: HandoffToken[] = [tokenOf(0)];
    const consumed = new Set<string>();
    const pick = (index: number) => known[index % known.length]!;
    let nowMs = 0;
    for (const [step, waitMs] of steps) {
      nowMs += waitMs;
      switch (step.act) {
        case "issue": {
          const issue = store.issue(nowMs);
          if (issue.ok) known.push(issue.token);
          const wanted = naive.issue(pick(known.length - 1).toMapKey(), nowMs);
          assert.equal(issue.ok ? "ok" : issue.error.kind, wanted);
          break;
        }
        case "consume":
        case "consume-own": {
          const expected = pick(step.token);
          const presented = step.act === "consume" ? pick(step.presented) : expected;
          const seen = store.consumeMatching(expected, presented, nowMs);
          const wanted = naive.consume(expected.toMapKey(), presented.toMapKey(), nowMs);
          assert.equal(seen.ok ? "ok" : seen.error.kind, wanted);
          if (!seen.ok) break;
          assert.ok(!consumed.has(expected.toMapKey()), "I2: a token is consumed at most once");
          consumed.add(expected.toMapKey());
          break;
        }
        case "revoke":
          assert.equal(store.revoke(pick(step.token)), naive.revoke(pick(step.token).toMapKey()));
          break;
        case "prune": {
          const before = naive.entries.length;
          naive.entries = naive.entries.filter((entry) => nowMs < entry.expiryMs);
          assert.equal(store.pruneExpired(nowMs), before - naive.entries.length);
        }
      }
      assert.equal(store.pendingLength, naive.entries.length);
      assert.ok(store.pendingLength <= CAPACITY);
    }
  }));
});
