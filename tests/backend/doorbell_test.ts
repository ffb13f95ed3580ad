import assert from "node:assert/strict";
import { test } from "node:test";
import { answerDoorbell } from "../../src/backend/doorbell.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import {
  EXTENSION_DOORBELL,
  EXTENSION_KEEP_OPEN,
  WARM_EXTENSIONS,
} from "../../src/wire/handoff_extension.ts";
import {
  decodeHandoffAck,
  encodeHandoffOffer,
  type HandoffOfferInit,
} from "../../src/wire/handoff_frames.ts";
import { WAIT } from "../support/waiting.ts";
import { FakeControl, FakePassed } from "./_fake_control.ts";

const CHANNEL_ID = new Uint8Array(16).fill(3);
const PASSING = new FakeControl();

function ring(fields: HandoffOfferInit = {}): Uint8Array {
  return encodeHandoffOffer({
    correlationId: 0n,
    extensions: WARM_EXTENSIONS,
    channelId: CHANNEL_ID,
    ...fields,
  });
}

/** Rings with bytes that come in pieces, the first of which was received already. */
function answer(bytes: Uint8Array, pieceBytes = 16, control = new FakeControl()) {
  const taken: Uint8Array[] = [];
  for (let at = pieceBytes; at < bytes.length; at += pieceBytes) {
    control.bring(bytes.slice(at, at + pieceBytes));
  }
  const take = (channelId: Uint8Array) => {
    taken.push(channelId.slice());
    return taken.length === 1 && channelId.join() === CHANNEL_ID.join() ? PASSING : undefined;
  };
  const answered = answerDoorbell(control, bytes.slice(0, pieceBytes), take, WAIT);
  return { control, taken, answered };
}

test("a doorbell gets the channel that it names, and an answer that honours what it asks", async () => {
  for (let pieceBytes = 1; pieceBytes <= ring().length; pieceBytes++) {
    const { control, taken, answered } = answer(ring(), pieceBytes);
    assert.deepEqual(await answered, { ok: true, passing: PASSING }, `pieces of ${pieceBytes}`);
    assert.deepEqual(taken, [CHANNEL_ID]);
    assert.equal(control.written.length, 1);
    const body = control.written[0]!.subarray(FRAME_HEADER_BYTES);
    const ack = decodeHandoffAck(body, () => ({ correlationId: 0n, token: new Uint8Array(0) }));
    assert.ok(ack.ok);
    assert.deepEqual([ack.ack.extensions, ack.ack.channelId], [WARM_EXTENSIONS, CHANNEL_ID]);
  }
});

test("rule 23: not a byte behind the frame is asked for, as it belongs to the stream", async () => {
  const control = new FakeControl();
  const bytes = ring();
  const { answered } = answer(concatBytes(bytes, Uint8Array.of(9, 9, 9)), 16, control);
  assert.equal((await answered).ok, true);
  const left = control.receipts.flatMap((receipt) => receipt.kind === "received" ? [...receipt.bytes] : []);
  assert.deepEqual(left, [9, 9, 9]);
});

test("what is no doorbell is answered by nothing, and takes no channel", async () => {
  const cases: [string, Uint8Array][] = [
    ["a token", ring({ token: new Uint8Array(16) })],
    ["no bits", ring({ extensions: 0n })],
    ["not all the bits", ring({ extensions: EXTENSION_DOORBELL | EXTENSION_KEEP_OPEN })],
    ["a name too short", ring({ channelId: CHANNEL_ID.subarray(1) })],
    ["no name", ring({ channelId: new Uint8Array(0) })],
    ["a name too long", ring({ channelId: new Uint8Array(17) })],
    ["a frame too long", ring({ serviceName: "x".repeat(300) })],
    ["another framing", Uint8Array.of(2, ...ring().slice(1))],
    ["garbage", Uint8Array.of(1, 3, 0, 0, 0, 0xff, 0xff, 0xff)],
    ["nothing", Uint8Array.of(1, 0, 0, 0, 0)],
  ];
  for (const [title, bytes] of cases) {
    const { control, taken, answered } = answer(bytes);
    const rung = await answered;
    assert.equal(rung.ok, false, title);
    assert.deepEqual([control.written.length, taken.length], [0, 0], title);
  }
});

test("a name that nobody has is no channel", async () => {
  const { control, answered } = answer(ring({ channelId: new Uint8Array(16).fill(4) }));
  assert.equal((await answered).ok, false);
  assert.equal(control.written.length, 0);
});

test("a doorbell that ends early, or brings a descriptor, is none; the descriptor is closed", async () => {
  const early = answer(ring().slice(0, 20));
  assert.equal((await early.answered).ok, false);
  const passed = new FakePassed();
  const control = new FakeControl();
  control.bring(ring().slice(16), passed);
  assert.equal((await answerDoorbell(control, ring().slice(0, 16), () => PASSING, WAIT)).ok, false);
  assert.deepEqual(passed.calls, ["close"]);
});

test("a channel whose doorbell cannot be answered is closed", async () => {
  const control = new FakeControl();
  control.sending = { ok: false, detail: "send returned EPIPE" };
  const passing = new FakeControl();
  const rung = await answerDoorbell(control, ring(), () => passing, WAIT);
  assert.deepEqual(rung, { ok: false, detail: "send returned EPIPE" });
  assert.equal(passing.closed, 1);
});
