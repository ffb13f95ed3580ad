import assert from "node:assert/strict";
import test from "node:test";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { tryDecodeFramed } from "../../src/wire/framing.ts";
import {
  FrameSchema,
  HandoffAckSchema,
  HandoffOfferSchema,
} from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import {
  decodeHandoffAck,
  decodeHandoffOffer,
  decodeHandoffReady,
  encodeHandoffAck,
  encodeHandoffOffer,
  encodeHandoffReady,
} from "../../src/wire/handoff_frames.ts";
import { decodeStrict, encodeMessage } from "../../src/wire/strict_decode.ts";
import { fromHex, toHex } from "../support/golden.ts";
import { fromGolden, type GoldenMessage } from "./golden_message.ts";
import { checkVectors } from "./golden_vectors.ts";

interface HandoffVector {
  id: string;
  ack_wire: string;
  offer?: GoldenMessage;
  offer_wire?: string;
  accepted?: boolean | null;
  error?: string | null;
  ack?: GoldenMessage;
  ready_wire?: string;
}

const bodyOf = (wire: Uint8Array): Uint8Array => wire.subarray(FRAME_HEADER_BYTES);

function checkAnswer(vector: HandoffVector, offer: { correlationId: bigint; token: Uint8Array }): void {
  const wire = fromHex(vector.ack_wire);
  const decoded = decodeHandoffAck(bodyOf(wire), () => offer);
  assert.equal(decoded.ok, vector.accepted);
  if (!decoded.ok) assert.equal(decoded.reason, "rejected");
  const framed = tryDecodeFramed(wire);
  assert.ok(framed.kind === "frame");
  const ack = decodeStrict(HandoffAckSchema, framed.frame.payload);
  assert.equal(ack.accepted, vector.accepted);
  assert.deepEqual(ack.token, offer.token);
  assert.equal(toHex(encodeHandoffAck(ack)), vector.ack_wire);
}

checkVectors<HandoffVector>("handoff", "offer, ack and ready frames agree with the reference", (vector) => {
  if (vector.ack !== undefined) {
    const ack = fromGolden(HandoffAckSchema, vector.ack);
    assert.equal(toHex(encodeHandoffAck(ack)), vector.ack_wire);
    assert.equal(toHex(encodeHandoffReady(ack)), vector.ready_wire);
    return;
  }
  assert.ok(vector.offer !== undefined && vector.offer_wire !== undefined, "unknown shape");
  const decoded = decodeHandoffOffer(bodyOf(fromHex(vector.offer_wire)));
  if (vector.error !== null) {
    assert.deepEqual(decoded, { ok: false, detail: vector.error });
    assert.equal(vector.ack_wire, "");
    return;
  }
  const offer = fromGolden(HandoffOfferSchema, vector.offer);
  assert.equal(toHex(encodeHandoffOffer(offer)), vector.offer_wire);
  assert.deepEqual(decoded, { ok: true, offer });
  checkAnswer(vector, offer);
});

const token = Uint8Array.from({ length: 16 }, (_, i) => i);
const offered = { correlationId: 5n, token };
const good = { token, accepted: true, correlationId: 5n };

/** A frame body in which some things are not as they should be. */
function frameOf(fields: Record<string, unknown>, payload: Uint8Array): Uint8Array {
  const rightOnes = { envelopeVersion: 1, kind: 1, payloadProtocol: 0xd0ff, requestId: 5n };
  return encodeMessage(FrameSchema, { ...rightOnes, ...fields, payload } as never);
}

const ackBytes = (fields: object) => encodeMessage(HandoffAckSchema, { ...good, ...fields });

test("decodeHandoffAck() checks in the broker's order", () => {
  const wrong = { envelopeVersion: 2, kind: 0, payloadProtocol: 1, payloadEncoding: 1, requestId: 6n };
  const frames = [
    [{}, "unexpected HandoffAck frame: envelope_version is not v1"],
    [{ envelopeVersion: 1 }, "unexpected HandoffAck frame: kind is not RESPONSE"],
    [{ kind: 1 }, "unexpected HandoffAck frame: payload_protocol is not handoff"],
    [{ payloadProtocol: 0xd0ff }, "unexpected HandoffAck frame: payload is compressed"],
    [{ payloadEncoding: 0 }, "HandoffAck frame request_id 6 does not match correlation id 5"],
    [
      { requestId: 5n },
      "failed to decode HandoffAck payload: failed to decode Protobuf message: invalid varint",
    ],
  ] as const;
  let fields: Record<string, unknown> = wrong;
  for (const [fix, detail] of frames) {
    fields = { ...fields, ...fix };
    const seen = decodeHandoffAck(frameOf(fields, Uint8Array.of(255)), () => offered);
    assert.deepEqual(seen, { ok: false, reason: "unobserved", detail });
  }
  const flipped = token.with(15, 0);
  const payloads = [
    [
      { correlationId: 6n, token: flipped, accepted: false },
      "HandoffAck correlation id 6 does not match offer correlation id 5",
    ],
    [{ token: flipped, accepted: false }, "HandoffAck token echo does not match the offered token"],
    [{ token: token.subarray(0, 15) }, "HandoffAck token echo does not match the offered token"],
  ] as const;
  for (const [ack, detail] of payloads) {
    const seen = decodeHandoffAck(frameOf({}, ackBytes(ack)), () => offered);
    assert.deepEqual(seen, { ok: false, reason: "unobserved", detail });
  }
  assert.deepEqual(decodeHandoffAck(Uint8Array.of(255), () => offered), {
    ok: false,
    reason: "unobserved",
    detail: "failed to decode HandoffAck Frame: failed to decode Protobuf message: invalid varint",
  });
});

test("decodeHandoffAck() tells a rejection from silence and names its detail", () => {
  const reject = (errorDetail: string) =>
    decodeHandoffAck(frameOf({}, ackBytes({ accepted: false, errorDetail })), () => offered);
  assert.deepEqual(reject("no"), {
    ok: false,
    reason: "rejected",
    detail: "backend refused the handoff: no",
  });
  const silent = { ok: false, reason: "rejected", detail: "backend refused the handoff: no detail provided" };
  assert.deepEqual(reject(""), silent);
});

test("decodeHandoffAck() finds the offer among many by request id", () => {
  const offers = new Map([[5n, offered], [9n, { correlationId: 9n, token: token.toReversed() }]]);
  const find = (id: bigint) => offers.get(id);
  const nine = { token: token.toReversed(), accepted: true, correlationId: 9n };
  assert.ok(decodeHandoffAck(bodyOf(encodeHandoffAck(nine)), find).ok);
  assert.ok(decodeHandoffAck(bodyOf(encodeHandoffAck(good)), find).ok);
  const stray = decodeHandoffAck(bodyOf(encodeHandoffAck({ ...good, correlationId: 7n })), find);
  assert.ok(!stray.ok);
  assert.equal(stray.detail, "HandoffAck frame request_id 7 does not match any offer");
});

test("decodeHandoffReady() accepts only an accepting event with the token, whatever its ids", () => {
  const ready = (fields: object) =>
    decodeHandoffReady(bodyOf(encodeHandoffReady({ ...good, ...fields })), token);
  assert.ok(ready({}).ok);
  assert.ok(ready({ correlationId: 99n }).ok);
  assert.equal(ready({ accepted: false }).ok, false);
  assert.equal(ready({ token: token.with(0, 9) }).ok, false);
  assert.equal(ready({ token: new Uint8Array() }).ok, false);
  assert.deepEqual(decodeHandoffReady(bodyOf(encodeHandoffAck(good)), token), {
    ok: false,
    detail: "unexpected handoff-ready frame: kind is not EVENT",
  });
  for (const body of [Uint8Array.of(255), frameOf({ kind: 2 }, Uint8Array.of(255))]) {
    assert.equal(decodeHandoffReady(body, token).ok, false);
  }
});

test("decodeHandoffOffer() reports undecodable frames and payloads in the reference's words", () => {
  const cause = "failed to decode Protobuf message: invalid varint";
  assert.deepEqual(decodeHandoffOffer(Uint8Array.of(255)), {
    ok: false,
    detail: `failed to decode HandoffOffer Frame: ${cause}`,
  });
  assert.deepEqual(decodeHandoffOffer(frameOf({ kind: 0 }, Uint8Array.of(255))), {
    ok: false,
    detail: `failed to decode HandoffOffer payload: ${cause}`,
  });
});

test("encoders take a message without a correlation id", () => {
  const decoded = decodeHandoffOffer(bodyOf(encodeHandoffOffer({ extensions: 4n })));
  assert.ok(decoded.ok);
  assert.deepEqual([decoded.offer.correlationId, decoded.offer.extensions], [0n, 4n]);
});

test("extension fields travel, lie outside the reserved ranges and leave no bytes when unset", () => {
  const channelId = new Uint8Array(16).fill(7);
  const offer = { correlationId: 5n, token, extensions: 5n, residue: Uint8Array.of(1, 2), channelId };
  const decoded = decodeHandoffOffer(bodyOf(encodeHandoffOffer(offer)));
  assert.ok(decoded.ok);
  const { extensions, residue } = decoded.offer;
  assert.deepEqual({ extensions, residue, id: decoded.offer.channelId }, {
    extensions: 5n,
    residue: Uint8Array.of(1, 2),
    id: channelId,
  });
  const ack = { ...good, extensions: 3n, readyRelayed: true, channelId };
  const answer = decodeHandoffAck(bodyOf(encodeHandoffAck(ack)), () => offered);
  assert.ok(answer.ok);
  assert.deepEqual([answer.ack.extensions, answer.ack.readyRelayed], [3n, true]);
  assert.deepEqual(answer.ack.channelId, channelId);
  const unset = { ...good, extensions: 0n, readyRelayed: false, channelId: new Uint8Array() };
  assert.equal(toHex(encodeHandoffAck(unset)), toHex(encodeHandoffAck(good)));
});
