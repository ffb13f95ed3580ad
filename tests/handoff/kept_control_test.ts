import assert from "node:assert/strict";
import { test } from "node:test";
import { planAdoptOffer } from "../../src/handoff/adopt_frames.ts";
import { planRelayHandoff } from "../../src/handoff/relay_frames.ts";
import { SpentTokens } from "../../src/handoff/spent_tokens.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { EXTENSION_KEEP_OPEN } from "../../src/wire/handoff_extension.ts";
import {
  decodeHandoffAck,
  decodeHandoffOffer,
  encodeHandoffAck,
  encodeHandoffOffer,
} from "../../src/wire/handoff_frames.ts";
import * as adopt from "./_adopt.ts";
import * as relay from "./_relay.ts";
import { tokenBytesOf, tokenStore } from "./_support.ts";

const CHANNEL_ID = new Uint8Array(16).fill(7);
const OFFER = { token: tokenBytesOf(1), serviceName: "zccache", correlationId: 5n };

/** A backend that keeps control connections. */
function keepingPlan() {
  const stores = { tokens: tokenStore(), spent: new SpentTokens() };
  return planAdoptOffer({ ...stores, deadlineMs: adopt.DEADLINE_MS, drawChannelId: () => CHANNEL_ID });
}

function ackEvent(
  fields: { extensions?: bigint; channelId?: Uint8Array; accepted?: boolean; readyRelayed?: boolean },
) {
  const ack = encodeHandoffAck({ token: tokenBytesOf(1), accepted: true, correlationId: 5n, ...fields });
  return { kind: "ack-frame", body: ack.subarray(FRAME_HEADER_BYTES) } as const;
}

const asking = planRelayHandoff({ ...relay.request, keepsControlOpen: true });

test("an offer asks to keep the control connection only when it is to be kept, and is the reference's otherwise", () => {
  assert.deepEqual(relay.plan.offerBytes, encodeHandoffOffer(OFFER));
  const decoded = decodeHandoffOffer(asking.offerBytes.subarray(FRAME_HEADER_BYTES));
  assert.ok(decoded.ok);
  assert.equal(decoded.offer.extensions, EXTENSION_KEEP_OPEN);
});

test("a backend that keeps it names the channel in its ACK, serves, and does not close it", () => {
  const wire = encodeHandoffOffer({ ...OFFER, extensions: EXTENSION_KEEP_OPEN });
  const { turn, steps } = adopt.play([...adopt.reads(wire), adopt.empty, adopt.ackWritten], keepingPlan());
  assert.ok(adopt.words(steps).endsWith("write-ack, serve 40, keep-control, adopted"), adopt.words(steps));
  const outcome = adopt.outcomeOf(turn);
  assert.deepEqual(outcome.kind === "adopted" && outcome.channelId, CHANNEL_ID);
  const answer = decodeHandoffAck(adopt.ackOf(steps)!.subarray(FRAME_HEADER_BYTES), () => OFFER);
  assert.ok(answer.ok);
  assert.deepEqual([answer.ack.extensions, answer.ack.channelId], [EXTENSION_KEEP_OPEN, CHANNEL_ID]);
});

test("a backend that was not asked to, or keeps none, answers as the reference does and closes it", () => {
  const asked = encodeHandoffOffer({ ...OFFER, extensions: EXTENSION_KEEP_OPEN });
  for (const [wire, plan] of [[adopt.offerWire(), keepingPlan()], [asked, adopt.adoptPlan()]] as const) {
    const { turn, steps } = adopt.play([...adopt.reads(wire), adopt.empty, adopt.ackWritten], plan);
    assert.deepEqual(
      adopt.ackOf(steps),
      encodeHandoffAck({ token: OFFER.token, accepted: true, correlationId: 5n }),
    );
    assert.ok(adopt.words(steps).endsWith("serve 40, close-control, adopted"));
    const outcome = adopt.outcomeOf(turn);
    assert.equal(outcome.kind === "adopted" && outcome.channelId, undefined);
  }
});

test("a connection that is refused, or whose ACK does not leave, takes its control connection along", () => {
  const wire = encodeHandoffOffer({ ...OFFER, extensions: EXTENSION_KEEP_OPEN });
  for (const events of [[adopt.hungUp, adopt.ackWritten], [adopt.empty, adopt.ackFailed]]) {
    const { steps } = adopt.play([...adopt.reads(wire), ...events], keepingPlan());
    assert.ok(adopt.words(steps).includes("close-control"));
    assert.ok(!adopt.words(steps).includes("keep-control"));
  }
});

test("a broker keeps the control connection when the ACK honours it, closed once or kept once", () => {
  const kept = ackEvent({ extensions: EXTENSION_KEEP_OPEN, channelId: CHANNEL_ID });
  const { turn, steps } = relay.play([relay.dialed, relay.sent, kept, relay.readyWritten], asking);
  const wanted =
    "dial, send-fd-and-offer, await-ack, acknowledge, write-ready, close A, keep-control, handed-off";
  assert.equal(relay.words(steps), wanted);
  assert.ok(turn.state.phase === "done" && turn.state.outcome.kind === "handed-off");
  assert.deepEqual(turn.state.outcome.channelId, CHANNEL_ID);
  const relayed = ackEvent({ extensions: EXTENSION_KEEP_OPEN, channelId: CHANNEL_ID, readyRelayed: true });
  assert.ok(
    relay.words(relay.play([relay.dialed, relay.sent, relayed], asking).steps).includes("keep-control"),
  );
});

test("the channel's name is a copy that the ACK's buffer does not reach", () => {
  const body = ackEvent({ extensions: EXTENSION_KEEP_OPEN, channelId: CHANNEL_ID }).body.slice();
  const reading = asking.readAck(body);
  body.fill(0xee);
  assert.deepEqual(reading.kind === "accepted" && reading.channelId, CHANNEL_ID);
});

test("an ACK with the bit and no fit name, or a name and no bit, keeps nothing", () => {
  const unfit = [
    { extensions: EXTENSION_KEEP_OPEN },
    { extensions: EXTENSION_KEEP_OPEN, channelId: CHANNEL_ID.subarray(1) },
    { extensions: EXTENSION_KEEP_OPEN, channelId: new Uint8Array(17) },
    { channelId: CHANNEL_ID },
  ];
  for (const fields of unfit) {
    const { steps } = relay.play([relay.dialed, relay.sent, ackEvent(fields), relay.readyWritten], asking);
    assert.ok(relay.words(steps).endsWith("close A, close B, handed-off"), relay.words(steps));
  }
});

test("a handoff that fails behind such an ACK keeps nothing either", () => {
  const kept = ackEvent({ extensions: EXTENSION_KEEP_OPEN, channelId: CHANNEL_ID });
  for (const end of [relay.readyFailed, relay.aborted]) {
    const { steps } = relay.play([relay.dialed, relay.sent, kept, end], asking);
    assert.ok(relay.words(steps).includes("close B"));
    assert.ok(!relay.words(steps).includes("keep-control"));
  }
  const refused = ackEvent({ extensions: EXTENSION_KEEP_OPEN, channelId: CHANNEL_ID, accepted: false });
  assert.ok(
    !relay.words(relay.play([relay.dialed, relay.sent, refused], asking).steps).includes("keep-control"),
  );
});
