import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { SpentTokens } from "../../src/handoff/spent_tokens.ts";
import { tokenOf } from "./_support.ts";

test("spentTokens.has() knows a token until its time is over", () => {
  const spent = new SpentTokens(4, 10);
  assert.equal(spent.has(tokenOf(1), 0), false);
  spent.add(tokenOf(1), 0);
  assert.equal(spent.has(tokenOf(1), 9), true);
  assert.equal(spent.has(tokenOf(2), 9), false);
  assert.equal(spent.has(tokenOf(1), 10), false);
});

test("spentTokens.add() forgets the oldest beyond its bound", () => {
  const spent = new SpentTokens(2, 10);
  for (const seed of [1, 2, 1, 3]) spent.add(tokenOf(seed), 0);
  assert.equal(spent.length, 2);
  assert.deepEqual([1, 2, 3].map((seed) => spent.has(tokenOf(seed), 0)), [true, false, true]);
});

test("spentTokens.add() drops what is over", () => {
  const spent = new SpentTokens(100, 10);
  for (let seed = 0; seed < 50; seed++) spent.add(tokenOf(seed), 0);
  spent.add(tokenOf(99), 10);
  assert.equal(spent.length, 1);
});

test("spentTokens remembers the last tokens of any history", () => {
  const history = fc.array(fc.tuple(fc.nat(6), fc.nat(4)), { maxLength: 40, size: "max" });
  fc.assert(fc.property(history, (steps) => {
    const spent = new SpentTokens(3, 10);
    let kept: { seed: number; expiryMs: number }[] = [];
    let nowMs = 0;
    for (const [seed, waitMs] of steps) {
      nowMs += waitMs;
      spent.add(tokenOf(seed), nowMs);
      kept = kept.filter((entry) => entry.seed !== seed && nowMs < entry.expiryMs);
      kept = [...kept, { seed, expiryMs: nowMs + 10 }].slice(-3);
      for (let other = 0; other <= 6; other++) {
        const isKept = kept.some((entry) => entry.seed === other && nowMs < entry.expiryMs);
        assert.equal(spent.has(tokenOf(other), nowMs), isKept, `token ${other}`);
      }
      assert.equal(spent.length, kept.length);
    }
  }));
});
