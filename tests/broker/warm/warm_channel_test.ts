import assert from "node:assert/strict";
import { test } from "node:test";
import { WarmChannel, type WarmEnding } from "../../../src/broker/warm/warm_channel.ts";
import { WARM_OFFERS_MAX } from "../../../src/handoff/warm_offers.ts";
import type { ControlConnection, PassOutcome } from "../../../src/transport/transport.ts";
import { concatBytes } from "../../../src/wire/bytes.ts";
import { FRAME_HEADER_BYTES } from "../../../src/wire/constants.ts";
import { decodeHandoffOffer, encodeHandoffReady } from "../../../src/wire/handoff_frames.ts";
import { tokenBytesOf } from "../../handoff/_support.ts";
import { turns, until } from "../../support/waiting.ts";
import { pattern } from "../../transport/_transport.ts";
import { FakeControl, heldConnection } from "../_fake_handoff.ts";
import { warmAck, warmRequest } from "./_channel.ts";

/** Notes on which connection each offer was to go. */
class Passing extends FakeControl {
  readonly doorbells: (ControlConnection | undefined)[] = [];

  override pass(...call: Parameters<ControlConnection["pass"]>): PassOutcome {
    this.doorbells.push(call[3]);
    return super.pass(...call);
  }
}

function open() {
  const [passing, doorbell] = [new Passing(), new FakeControl()];
  const endings: [number, WarmEnding][] = [];
  const closed: string[] = [];
  const channel = new WarmChannel({
    passing,
    doorbell,
    clock: () => 1_000,
    ended: ({ correlationId }, ending) => void endings.push([Number(correlationId), ending]),
    closed: (detail) => void closed.push(detail),
  });
  const offer = (...ids: number[]) => ids.map((id) => channel.offer(warmRequest(id)));
  return { channel, passing, doorbell, endings, closed, offer };
}

test("an offer says what is expected of the backend, and goes on the doorbell behind its descriptor", () => {
  const { channel, passing, doorbell } = open();
  const residue = pattern(40);
  assert.deepEqual(channel.offer(warmRequest(3, { residue })), { ok: true });
  channel.offer(warmRequest(4, { isRepeatable: true }));
  assert.deepEqual(passing.doorbells, [doorbell, doorbell]);
  const offers = passing.passed.map(({ token, offer }) => {
    const decoded = decodeHandoffOffer(offer.subarray(FRAME_HEADER_BYTES));
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.offer.token, token);
    return decoded.offer;
  });
  assert.deepEqual(
    offers.map(({ extensions }) => extensions),
    [3n, 11n],
    "direct ready, keep open, repeatable",
  );
  assert.deepEqual(offers.map(({ correlationId }) => correlationId), [3n, 4n]);
  assert.deepEqual([offers[0]?.token, offers[0]?.residue], [tokenBytesOf(3), residue]);
  channel.close("done");
});

test("rule 7: the connection stays the caller's: the channel neither closes nor shuts it down, whatever the end", async () => {
  const { channel, doorbell, endings } = open();
  const held = [1, 2, 3].map(() => heldConnection());
  for (const [id, connection] of held.entries()) channel.offer(warmRequest(id + 1, { connection }));
  doorbell.incoming.push(warmAck(1));
  doorbell.incoming.push(warmAck(2, { accepted: false }));
  await until("the ACKs", () => endings.length === 2);
  channel.close("done");
  for (const { endings } of held) assert.deepEqual(endings, []);
});

test("rule 18: batched ACKs, in any order and in pieces, end each its own offer", async () => {
  const { channel, doorbell, endings, closed, offer } = open();
  offer(1, 2, 3);
  const bytes = concatBytes(warmAck(3), warmAck(1, { accepted: false, errorDetail: "no room" }), warmAck(2));
  for (let at = 0; at < bytes.length; at += 11) doorbell.incoming.push(bytes.slice(at, at + 11));
  await until("all of them", () => endings.length === 3);
  assert.deepEqual(endings.map(([id, { kind }]) => [id, kind]), [[3, "adopted"], [1, "refused"], [
    2,
    "adopted",
  ]]);
  assert.deepEqual([closed, channel.canTake], [[], true]);
  channel.close("done");
  assert.equal(endings.length, 3);
});

test("rule 19: late, repeated and unknown ACKs, and other frames, are ignored, and the channel goes on", async () => {
  const { channel, doorbell, endings, closed, offer } = open();
  offer(1);
  const ready = encodeHandoffReady({ token: tokenBytesOf(1), accepted: true, correlationId: 1n });
  for (const frame of [warmAck(2), ready, warmAck(1, { token: tokenBytesOf(9) }), warmAck(1), warmAck(1)]) {
    doorbell.incoming.push(frame);
  }
  await until("its ACK", () => endings.length > 0);
  offer(2);
  doorbell.incoming.push(warmAck(2));
  await until("the next one's", () => endings.length > 1);
  assert.deepEqual(endings.map(([id, { kind }]) => [id, kind]), [[1, "adopted"], [2, "adopted"]]);
  assert.deepEqual(closed, []);
  channel.close("done");
});

const ENDS: Record<string, (ends: ReturnType<typeof open>) => void> = {
  "the doorbell ends": ({ doorbell }) => doorbell.incoming.end(),
  "the doorbell fails": ({ doorbell }) => doorbell.incoming.end(new Error("ECONNRESET")),
  "the descriptors' connection ends": ({ passing }) => passing.incoming.end(),
  "the descriptors' connection fails": ({ passing }) => passing.incoming.end(new Error("ECONNRESET")),
  "the backend writes where nothing belongs": ({ passing }) => passing.incoming.push(Uint8Array.of(1)),
  "the doorbell brings no frame": ({ doorbell }) => doorbell.incoming.push(Uint8Array.of(2, 0, 0, 0, 0)),
  "the doorbell brings a frame too long": ({ doorbell }) =>
    doorbell.incoming.push(Uint8Array.of(1, 0, 0, 1, 0)),
  "the broker closes it": ({ channel }) => channel.close("the broker stops"),
};

for (const [title, end] of Object.entries(ENDS)) {
  test(`when ${title}, both connections are closed once, and what was under way is lost, once`, async () => {
    const ends = open();
    const { channel, passing, doorbell, endings, closed, offer } = ends;
    offer(1, 2, 3);
    doorbell.incoming.push(warmAck(2));
    await until("an ACK before it", () => endings.length === 1);
    end(ends);
    await until("the end", () => closed.length > 0);
    channel.close("again");
    await turns(2);
    assert.deepEqual(endings.map(([id, { kind }]) => [id, kind]), [[2, "adopted"], [1, "lost"], [3, "lost"]]);
    assert.deepEqual([passing.calls.close, doorbell.calls.close, closed.length], [1, 1, 1]);
    assert.equal(channel.canTake, false);
  });
}

test("rule 17: an offer of which nothing left is nowhere booked, and the channel stays", () => {
  const { channel, passing, endings, closed } = open();
  const outcome: PassOutcome = {
    ok: false,
    kind: "WouldBlock",
    detail: "sendmsg returned EAGAIN",
    reachedBackend: false,
  };
  passing.outcome = outcome;
  assert.deepEqual(channel.offer(warmRequest(1)), outcome);
  assert.deepEqual([channel.canTake, closed], [true, []]);
  channel.close("done");
  assert.deepEqual(endings, [], "nothing was under way");
});

test("rule 21: an offer of which a part left ends the channel and all that was under way", () => {
  const { channel, passing, doorbell, endings, closed, offer } = open();
  offer(1, 2);
  const outcome: PassOutcome = {
    ok: false,
    kind: "SendFailed",
    detail: "offer not sent",
    reachedBackend: true,
  };
  passing.outcome = outcome;
  assert.deepEqual(channel.offer(warmRequest(3)), outcome);
  assert.deepEqual(
    endings.map(([id, { kind }]) => [id, kind]),
    [[1, "lost"], [2, "lost"]],
    "the third is the caller's",
  );
  assert.deepEqual([closed, channel.canTake], [["offer not sent"], false]);
  assert.deepEqual([passing.calls.close, doorbell.calls.close], [1, 1]);
});

test("a channel takes no more than it may have under way", () => {
  const { channel, doorbell, offer } = open();
  offer(...Array.from({ length: WARM_OFFERS_MAX }, (_, id) => id));
  assert.equal(channel.canTake, false);
  doorbell.incoming.push(warmAck(0));
  return until("room", () => channel.canTake).finally(() => channel.close("done"));
});
