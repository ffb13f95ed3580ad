import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { fallBack } from "../../src/handoff/fallback_reason.ts";
import {
  DEFAULT_PENDING_HANDOFF_TTL_MS,
  DEFAULT_PENDING_HANDOFFS_MAX,
  PendingHandoffQueue,
} from "../../src/handoff/pending_queue.ts";

test("pendingQueue has the reference's limits by default", () => {
  assert.equal(DEFAULT_PENDING_HANDOFFS_MAX, 64);
  assert.equal(DEFAULT_PENDING_HANDOFF_TTL_MS, 100);
});

test("pendingQueue stays at its capacity under a hundred handoffs; the others fall back", () => {
  const queue = new PendingHandoffQueue<number>();
  const outcomes = Array.from({ length: 100 }, (_, i) => queue.enqueue(i, 0).outcome);
  assert.equal(queue.pendingLength, 64);
  assert.deepEqual(outcomes.slice(0, 64), Array.from({ length: 64 }, () => ({ kind: "queued" })));
  assert.deepEqual(outcomes.slice(64), Array.from({ length: 36 }, () => fallBack("FdPressureDisabled")));
});

test("pendingQueue keeps its order through an overflow", () => {
  const queue = new PendingHandoffQueue<string>({ pendingHandoffsMax: 2 });
  for (const handoff of ["a", "b", "overflow"]) queue.enqueue(handoff, 0);
  assert.equal(queue.dequeue(0).next, "a");
  assert.equal(queue.enqueue("c", 0).outcome.kind, "queued");
  assert.deepEqual([queue.dequeue(0).next, queue.dequeue(0).next, queue.dequeue(0).next], [
    "b",
    "c",
    undefined,
  ]);
});

test("pendingQueue gives overdue handoffs back and frees their room without a client error", () => {
  const queue = new PendingHandoffQueue<string>({ pendingHandoffsMax: 2 });
  queue.enqueue("a", 0);
  queue.enqueue("b", 1);
  assert.equal(queue.nextExpiryMs, 100);
  const overflow = queue.enqueue("c", 99);
  assert.deepEqual(overflow, { outcome: fallBack("FdPressureDisabled"), expired: [] });
  assert.deepEqual(queue.enqueue("c", 100), { outcome: { kind: "queued" }, expired: ["a"] });
  assert.deepEqual(queue.dequeue(101), { next: "c", expired: ["b"] });
  assert.equal(queue.nextExpiryMs, undefined);
});

test("pendingQueue.expireOverdue() takes every handoff at its expiry", () => {
  const queue = new PendingHandoffQueue<string>({ pendingTtlMs: 10 });
  queue.enqueue("a", 0);
  queue.enqueue("b", 5);
  assert.deepEqual(queue.expireOverdue(9), []);
  assert.deepEqual(queue.expireOverdue(10), ["a"]);
  assert.deepEqual(queue.expireOverdue(15), ["b"]);
});

test("pendingQueue counts a configured zero as one", () => {
  const queue = new PendingHandoffQueue<string>({ pendingHandoffsMax: 0, pendingTtlMs: 0 });
  assert.equal(queue.enqueue("a", 0).outcome.kind, "queued");
  assert.equal(queue.enqueue("b", 0).outcome.kind, "fallback");
  assert.deepEqual(queue.expireOverdue(1), ["a"]);
});

test("pendingQueue.drain() gives everything back in order", () => {
  const queue = new PendingHandoffQueue<string>();
  for (const handoff of ["a", "b"]) queue.enqueue(handoff, 0);
  assert.deepEqual(queue.drain(), ["a", "b"]);
  assert.equal(queue.pendingLength, 0);
});

test("I5: pendingQueue gives each handoff back exactly once, in order, never served after its expiry", () => {
  const step = fc.tuple(fc.constantFrom("enqueue", "dequeue", "expire"), fc.nat(6));
  fc.assert(fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
    const queue = new PendingHandoffQueue<number>({ pendingHandoffsMax: 3, pendingTtlMs: 10 });
    let waiting: { id: number; expiryMs: number }[] = [];
    let nowMs = 0;
    let nextId = 0;
    const overdue = () => {
      const gone = waiting.filter(({ expiryMs }) => nowMs >= expiryMs).map(({ id }) => id);
      waiting = waiting.filter(({ expiryMs }) => nowMs < expiryMs);
      return gone;
    };
    for (const [act, waitMs] of steps) {
      nowMs += waitMs;
      const expired = overdue();
      if (act === "enqueue") {
        const id = nextId++;
        const admission = queue.enqueue(id, nowMs);
        assert.deepEqual(admission.expired, expired);
        assert.equal(admission.outcome.kind, waiting.length < 3 ? "queued" : "fallback");
        if (waiting.length < 3) waiting.push({ id, expiryMs: nowMs + 10 });
      } else if (act === "dequeue") {
        assert.deepEqual(queue.dequeue(nowMs), { next: waiting.shift()?.id, expired });
      } else {
        assert.deepEqual(queue.expireOverdue(nowMs), expired);
      }
      assert.equal(queue.pendingLength, waiting.length);
    }
  }));
});
