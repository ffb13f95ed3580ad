import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { WARM_OFFERS_MAX, type WarmOffer, WarmOffers } from "../../src/handoff/warm_offers.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { encodeHandoffAck, encodeHandoffReady, type HandoffAckInit } from "../../src/wire/handoff_frames.ts";
import { tokenBytesOf } from "./_support.ts";

function offer(id: number, deadlineMs = 5_000): WarmOffer {
  return { correlationId: BigInt(id), token: tokenBytesOf(id), startMs: 0, deadlineMs };
}

/** The answer to {@linkcode offer}, but for the given fields. */
function ack(id: number, fields: HandoffAckInit = {}): Uint8Array {
  const right = { correlationId: BigInt(id), token: tokenBytesOf(id), accepted: true, readyRelayed: true };
  return encodeHandoffAck({ ...right, ...fields }).subarray(FRAME_HEADER_BYTES);
}

function offersOf(...ids: number[]): WarmOffers {
  const offers = new WarmOffers();
  for (const id of ids) offers.add(offer(id));
  return offers;
}

test("an ACK ends the offer that it names, and no other", () => {
  const offers = offersOf(1, 2, 3);
  assert.deepEqual(offers.settle(ack(2)), { kind: "accepted", offer: offer(2) });
  assert.equal(offers.size, 2);
  assert.deepEqual(offers.takeAll(), [offer(1), offer(3)]);
  assert.equal(offers.size, 0);
});

test("rule 18: an ACK has to name correlation id and token of the same offer", () => {
  const offers = offersOf(1, 2);
  for (
    const body of [
      ack(1, { token: tokenBytesOf(2) }),
      ack(2, { token: tokenBytesOf(1) }),
      ack(3),
      ack(1, { token: new Uint8Array(0) }),
    ]
  ) assert.equal(offers.settle(body).kind, "unmatched");
  assert.equal(offers.size, 2, "both still wait");
  assert.equal(offers.settle(ack(1)).kind, "accepted");
});

test("rule 19: late, repeated and unknown ACKs, and what is none, change nothing", () => {
  const offers = offersOf(1, 2);
  assert.equal(offers.settle(ack(1)).kind, "accepted");
  const ready = encodeHandoffReady({ token: tokenBytesOf(2), accepted: true, correlationId: 2n });
  const garbage = [new Uint8Array(0), Uint8Array.of(9, 9), ready.subarray(FRAME_HEADER_BYTES)];
  for (const body of [ack(1), ack(9), ...garbage]) {
    const seen = offers.settle(body);
    assert.ok(seen.kind === "unmatched");
    assert.notEqual(seen.detail, "");
  }
  assert.equal(offers.takeAll().length, 1);
  assert.equal(offers.settle(ack(2)).kind, "unmatched", "its channel has ended");
});

test("a refusal ends its offer with the backend's words", () => {
  const offers = offersOf(1);
  const seen = offers.settle(ack(1, { accepted: false, errorDetail: "no room" }));
  assert.ok(seen.kind === "rejected");
  assert.match(seen.detail, /no room/);
  assert.deepEqual([seen.offer, offers.size], [offer(1), 0]);
});

test("rule 6: an ACK that accepts without the ready event it promised is no adoption", () => {
  const seen = offersOf(1).settle(ack(1, { readyRelayed: false }));
  assert.ok(seen.kind === "rejected");
  assert.match(seen.detail, /ready event/);
});

test("the oldest deadline is that of the first offer that still waits", () => {
  const offers = new WarmOffers();
  assert.equal(offers.oldestDeadlineMs, undefined);
  for (const id of [1, 2, 3]) offers.add(offer(id, id * 100));
  assert.equal(offers.oldestDeadlineMs, 100);
  offers.settle(ack(2));
  assert.equal(offers.oldestDeadlineMs, 100);
  offers.settle(ack(1));
  assert.equal(offers.oldestDeadlineMs, 300);
});

test("there is room up to the bound, and again when an offer has ended", () => {
  const offers = new WarmOffers();
  for (let id = 0; id < WARM_OFFERS_MAX; id++) {
    assert.equal(offers.hasRoom, true);
    offers.add(offer(id));
  }
  assert.equal(offers.hasRoom, false);
  offers.settle(ack(17));
  assert.equal(offers.hasRoom, true);
});

type Command =
  | { readonly kind: "add"; readonly lifeMs: number }
  | { readonly kind: "ack"; readonly id: number; readonly accepted: boolean; readonly token: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "take-all" };

const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("add" as const), lifeMs: fc.constant(50) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("ack" as const),
      id: fc.nat(20),
      accepted: fc.boolean(),
      token: fc.oneof({ weight: 5, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(20) }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "take-all" as const }) },
);

test("whatever happens, each offer ends once, as a plain list of them says", () => {
  fc.assert(fc.property(fc.array(commands, { maxLength: 60 }), (all) => {
    const offers = new WarmOffers();
    let pending: WarmOffer[] = [];
    let [nowMs, nextId] = [0, 0];
    for (const command of all) {
      if (command.kind === "add") {
        const added = offer(nextId++, nowMs + command.lifeMs);
        offers.add(added);
        pending.push(added);
      } else if (command.kind === "ack") {
        const { id, accepted } = command;
        const token = command.token === -1 ? id : command.token;
        const due = pending.find((one) => one.correlationId === BigInt(id) && token === id);
        const seen = offers.settle(ack(id, { accepted, token: tokenBytesOf(token) }));
        assert.equal(seen.kind, due === undefined ? "unmatched" : accepted ? "accepted" : "rejected");
        pending = pending.filter((one) => one !== due);
      } else {
        if (command.kind === "pass") nowMs += command.ms;
        else assert.deepEqual(offers.takeAll(), pending.splice(0));
      }
      assert.equal(offers.oldestDeadlineMs, pending[0]?.deadlineMs);
      assert.equal(offers.size, pending.length);
    }
  }));
});
