import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  acceptHandedOff,
  type HandoffAcceptance,
  handoffRejectionDetail,
} from "../../src/handoff/accept_handed_off.ts";
import { issued, tokenBytesOf, tokenOf, tokenStore } from "./_support.ts";

const connection = { name: "the client's connection" };

function rejected(acceptance: HandoffAcceptance<unknown>): { kind: string; errorDetail: string } {
  assert.equal(acceptance.kind, "rejected");
  assert.equal(acceptance.connection, connection, "a rejected connection comes back");
  assert.ok(acceptance.kind === "rejected");
  return { ...acceptance.rejection, errorDetail: acceptance.errorDetail };
}

describe("acceptHandedOff()", () => {
  test("accepts the right token once and gives the connection back both times", () => {
    const store = tokenStore();
    const expectedToken = issued(store, 0);
    const handed = { expectedToken, presentedBytes: expectedToken.toBytes(), connection };
    assert.deepEqual(acceptHandedOff(store, handed, 1), { kind: "accepted", connection });
    assert.deepEqual(rejected(acceptHandedOff(store, handed, 1)), {
      kind: "TokenNotPending",
      errorDetail: "handoff token is not pending",
    });
  });

  test("rejects another token without using the pending one up", () => {
    const store = tokenStore();
    const expectedToken = issued(store, 0);
    const wrong = { expectedToken, presentedBytes: tokenBytesOf(99), connection };
    assert.deepEqual(rejected(acceptHandedOff(store, wrong, 0)), {
      kind: "TokenMismatch",
      errorDetail: "handoff token mismatch",
    });
    const right = { ...wrong, presentedBytes: expectedToken.toBytes() };
    assert.equal(acceptHandedOff(store, right, 0).kind, "accepted");
  });

  test("rejects malformed tokens without using the pending one up", () => {
    const store = tokenStore();
    const expectedToken = issued(store, 0);
    const present = (presentedBytes: Uint8Array) =>
      rejected(acceptHandedOff(store, { expectedToken, presentedBytes, connection }, 0));
    assert.deepEqual(present(new Uint8Array(0)), {
      kind: "MissingToken",
      errorDetail: "handoff token is missing",
    });
    for (const actual of [1, 15, 17, 32]) {
      assert.deepEqual(present(new Uint8Array(actual)), {
        kind: "InvalidTokenLength",
        actual,
        expected: 16,
        errorDetail: `handoff token length was ${actual} bytes; expected 16`,
      });
    }
    assert.equal(store.pendingLength, 1);
  });

  test("rejects an expired token and forgets it", () => {
    const store = tokenStore({ tokenTtlMs: 10 });
    const expectedToken = issued(store, 0);
    const handed = { expectedToken, presentedBytes: expectedToken.toBytes(), connection };
    assert.deepEqual(rejected(acceptHandedOff(store, handed, 10)), {
      kind: "TokenExpired",
      errorDetail: "handoff token expired",
    });
    assert.equal(store.pendingLength, 0);
  });

  test("judges the length before the store", () => {
    const handed = { expectedToken: tokenOf(1), presentedBytes: new Uint8Array(2), connection };
    assert.equal(rejected(acceptHandedOff(tokenStore(), handed, 0)).kind, "InvalidTokenLength");
  });
});

test("handoffRejectionDetail() names the store's own trouble", () => {
  const detail = handoffRejectionDetail({ kind: "TokenStore", detail: "full" });
  assert.equal(detail, "handoff token store error: full");
});
