import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { BrokerError } from "../../src/errors.ts";
import {
  DEFAULT_COLLISION_ATTEMPTS_MAX,
  DEFAULT_PENDING_TOKENS_MAX,
  DEFAULT_TOKEN_TTL_MS,
  HandoffTokenStore,
} from "../../src/handoff/token_store.ts";
import { countingRandom, issued, tokenBytesOf, tokenOf, tokenStore } from "./_support.ts";

function errorKind(outcome: { ok: true } | { ok: false; error: { kind: string } }): string | undefined {
  return outcome.ok ? undefined : outcome.error.kind;
}

describe("tokenStore.issue()", () => {
  test("gives a token of 128 bits", () => {
    const drawn: number[] = [];
    const store = new HandoffTokenStore((byteLength) => {
      drawn.push(byteLength);
      return tokenBytesOf(1);
    });
    assert.equal(issued(store, 0).toBytes().length, 16);
    assert.deepEqual(drawn, [16]);
  });

  test("has the reference's limits by default", () => {
    assert.equal(DEFAULT_PENDING_TOKENS_MAX, 1024);
    assert.equal(DEFAULT_TOKEN_TTL_MS, 30_000);
    assert.equal(DEFAULT_COLLISION_ATTEMPTS_MAX, 16);
    const store = tokenStore();
    for (let i = 0; i < 1024; i++) assert.ok(store.issue(0).ok);
    assert.equal(errorKind(store.issue(29_999)), "PendingLimitReached");
    assert.ok(store.issue(30_000).ok);
    assert.equal(store.pendingLength, 1);
  });

  test("is bounded by the capacity until a token is consumed", () => {
    const store = tokenStore({ pendingTokensMax: 2 });
    const first = issued(store, 0);
    issued(store, 0);
    const full = store.issue(0);
    assert.equal(errorKind(full), "PendingLimitReached");
    assert.ok(!full.ok && full.error.message.includes("2"));
    assert.ok(store.consumeMatching(first, first, 0).ok);
    assert.ok(store.issue(0).ok);
  });

  test("drops expired tokens to make room", () => {
    const store = tokenStore({ pendingTokensMax: 1, tokenTtlMs: 10 });
    const old = issued(store, 0);
    assert.equal(errorKind(store.issue(9)), "PendingLimitReached");
    issued(store, 10);
    assert.equal(errorKind(store.consumeMatching(old, old, 10)), "TokenNotPending");
  });

  test("gives up after the configured number of collisions", () => {
    let draws = 0;
    const store = new HandoffTokenStore(() => (draws++, tokenBytesOf(1)), { collisionAttemptsMax: 5 });
    issued(store, 0);
    draws = 0;
    const collided = store.issue(0);
    assert.equal(errorKind(collided), "CollisionExhausted");
    assert.ok(!collided.ok && collided.error.detail.includes("5"));
    assert.equal(draws, 5);
    assert.equal(store.pendingLength, 1);
  });

  test("takes the first candidate that is new", () => {
    const seeds = [1, 1, 1, 2];
    const store = new HandoffTokenStore(() => tokenBytesOf(seeds.shift() ?? 0));
    issued(store, 0);
    assert.ok(issued(store, 0).equals(tokenOf(2)));
  });

  test("reports a generator that throws or gives another length", () => {
    const cause = new Error("no entropy");
    const thrown = new HandoffTokenStore(() => {
      throw cause;
    }).issue(0);
    assert.equal(errorKind(thrown), "Random");
    assert.equal(!thrown.ok && thrown.error.cause, cause);
    const short = new HandoffTokenStore(() => new Uint8Array(15)).issue(0);
    assert.equal(errorKind(short), "Random");
    assert.ok(!short.ok && short.error.detail.includes("15"));
  });

  test("counts a configured zero as one", () => {
    const config = { pendingTokensMax: 0, tokenTtlMs: 0, collisionAttemptsMax: 0 };
    const store = tokenStore(config);
    const token = issued(store, 0);
    assert.equal(errorKind(store.issue(0)), "PendingLimitReached");
    assert.ok(store.consumeMatching(token, token, 0).ok);
    issued(store, 0);
    assert.equal(store.pruneExpired(1), 1);
    let draws = 0;
    const colliding = new HandoffTokenStore(() => (draws++, tokenBytesOf(1)), {
      ...config,
      pendingTokensMax: 9,
    });
    issued(colliding, 0);
    assert.equal(errorKind(colliding.issue(0)), "CollisionExhausted");
    assert.equal(draws, 2);
  });
});

describe("tokenStore.consumeMatching()", () => {
  test("rejects a replayed token", () => {
    const store = tokenStore();
    const token = issued(store, 0);
    assert.ok(store.consumeMatching(token, token, 0).ok);
    assert.equal(errorKind(store.consumeMatching(token, token, 0)), "TokenNotPending");
    assert.equal(store.pendingLength, 0);
  });

  test("leaves a token usable after a mismatch", () => {
    const store = tokenStore();
    const token = issued(store, 0);
    const other = issued(store, 0);
    for (const presented of [other, tokenOf(999)]) {
      assert.equal(errorKind(store.consumeMatching(token, presented, 1)), "TokenMismatch");
    }
    assert.equal(store.pendingLength, 2);
    assert.ok(store.consumeMatching(token, tokenOf(1), 1).ok);
  });

  test("rejects an expired token once as expired, then as unknown", () => {
    const store = tokenStore({ tokenTtlMs: 10 });
    const token = issued(store, 5);
    assert.equal(errorKind(store.consumeMatching(token, token, 15)), "TokenExpired");
    assert.equal(errorKind(store.consumeMatching(token, token, 15)), "TokenNotPending");
  });

  test("accepts a token up to, not at, the end of its life", () => {
    const store = tokenStore({ tokenTtlMs: 10 });
    const token = issued(store, 5);
    assert.ok(store.consumeMatching(token, token, 14).ok);
  });

  test("drops the other expired tokens on the way", () => {
    const store = tokenStore({ tokenTtlMs: 10 });
    issued(store, 0);
    const expected = issued(store, 0);
    issued(store, 0);
    const fresh = issued(store, 9);
    assert.equal(errorKind(store.consumeMatching(expected, expected, 10)), "TokenExpired");
    assert.equal(store.pendingLength, 1);
    assert.ok(store.consumeMatching(fresh, fresh, 10).ok);
  });
});

test("tokenStore.register() takes a foreign token once while it is pending", () => {
  const store = tokenStore({ pendingTokensMax: 1, tokenTtlMs: 10 });
  assert.ok(store.register(tokenOf(50), 0).ok);
  assert.equal(errorKind(store.register(tokenOf(51), 0)), "PendingLimitReached");
  const roomy = tokenStore();
  assert.ok(roomy.register(tokenOf(50), 0).ok);
  assert.equal(errorKind(roomy.register(tokenOf(50), 0)), "CollisionExhausted");
  assert.ok(roomy.consumeMatching(tokenOf(50), tokenOf(50), 0).ok);
});

test("tokenStore.revoke() says whether the token was pending", () => {
  const store = tokenStore();
  const token = issued(store, 0);
  assert.equal(store.revoke(token), true);
  assert.equal(store.revoke(token), false);
  assert.equal(errorKind(store.consumeMatching(token, token, 0)), "TokenNotPending");
});

/** A time that counts how often it is compared or added to. */
function countedTime(nowMs: number): { time: number; uses: () => number } {
  let uses = 0;
  const time = { valueOf: () => (uses++, nowMs) };
  return { time: time as unknown as number, uses: () => uses };
}

test("tokenStore looks at one entry, not all, when nothing has expired", () => {
  const store = tokenStore();
  const tokens = Array.from({ length: 1000 }, () => issued(store, 0));
  const acts: ((nowMs: number) => unknown)[] = [
    (nowMs) => store.issue(nowMs),
    (nowMs) => store.register(tokenOf(5000), nowMs),
    (nowMs) => store.pruneExpired(nowMs),
    (nowMs) => store.consumeMatching(tokens[500]!, tokens[500]!, nowMs),
  ];
  for (const act of acts) {
    const counted = countedTime(1);
    act(counted.time);
    assert.ok(counted.uses() <= 3, `${counted.uses()} looks at the time`);
  }
});

test("tokenStore errors are broker errors with a code and without token bytes", () => {
  const store = new HandoffTokenStore(countingRandom());
  const token = issued(store, 0);
  const mismatch = store.consumeMatching(token, tokenOf(77), 0);
  assert.ok(!mismatch.ok && BrokerError.is(mismatch.error));
  assert.equal(mismatch.error.code, "peer-rejected");
  assert.equal(mismatch.error.message, "[peer-rejected] handoff token mismatch");
  assert.ok(!inspect(mismatch.error).includes("165")); // 0xa5 fills every token of this suite
});
