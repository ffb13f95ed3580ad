import assert from "node:assert/strict";
import test from "node:test";
import { FrameKind, PayloadEncoding } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import {
  decodeHandoffOffer,
  encodeHandoffAck,
  encodeHandoffOffer,
  encodeHandoffReady,
  handoffAckFrame,
  handoffOfferFrame,
  handoffReadyFrame,
  validateHandoffFrame,
} from "../../src/wire/handoff_frames.ts";
import { tokenBytesOf } from "../handoff/_support.ts";

const TOKEN = tokenBytesOf(1);
const OFFER = { token: TOKEN, serviceName: "svc", correlationId: 9n, handleValue: 0n };
const ACK = { token: TOKEN, accepted: true, correlationId: 9n };

test("handoff frames have their kind, the handoff's protocol and the correlation id as request id", () => {
  const cases = [
    [handoffOfferFrame(OFFER), FrameKind.REQUEST, encodeHandoffOffer(OFFER)],
    [handoffAckFrame(ACK), FrameKind.RESPONSE, encodeHandoffAck(ACK)],
    [handoffReadyFrame(ACK), FrameKind.EVENT, encodeHandoffReady(ACK)],
  ] as const;
  for (const [frame, kind, bytes] of cases) {
    const { envelopeVersion, payloadProtocol, payloadEncoding, requestId } = frame;
    assert.deepEqual([envelopeVersion, payloadProtocol, payloadEncoding, requestId], [1, 0xd0ff, 0, 9n]);
    assert.equal(frame.kind, kind);
    assert.equal(validateHandoffFrame(frame, kind), undefined);
    assert.deepEqual(encodeFramed(frame), bytes);
  }
});

test("validateHandoffFrame() says what is wrong, the envelope version first", () => {
  const frame = handoffOfferFrame(OFFER);
  const broken = { envelopeVersion: 2, payloadProtocol: 0, payloadEncoding: PayloadEncoding.ZSTD };
  assert.equal(validateHandoffFrame({ ...frame, ...broken }, FrameKind.EVENT), "envelope_version is not v1");
  for (const [kind, name] of [[FrameKind.RESPONSE, "RESPONSE"], [FrameKind.EVENT, "EVENT"]] as const) {
    assert.equal(validateHandoffFrame(frame, kind), `kind is not ${name}`);
  }
  assert.equal(validateHandoffFrame(handoffAckFrame(ACK), FrameKind.REQUEST), "kind is not REQUEST");
  const { payloadProtocol, payloadEncoding } = broken;
  assert.equal(
    validateHandoffFrame({ ...frame, payloadProtocol, payloadEncoding }, FrameKind.REQUEST),
    "payload_protocol is not handoff",
  );
  assert.equal(
    validateHandoffFrame({ ...frame, payloadEncoding }, FrameKind.REQUEST),
    "payload is compressed",
  );
});

test("decodeHandoffOffer() refuses a frame of another protocol, and one whose request id is not the correlation id", () => {
  const frame = handoffOfferFrame(OFFER);
  const detailOf = (changes: object) => {
    const decoded = decodeHandoffOffer(encodeFramed({ ...frame, ...changes }).subarray(5));
    return decoded.ok ? "an offer" : decoded.detail;
  };
  assert.equal(detailOf({}), "an offer");
  assert.equal(
    detailOf({ payloadProtocol: 0 }),
    "unexpected HandoffOffer frame: payload_protocol is not handoff",
  );
  assert.match(detailOf({ requestId: 10n }), /request_id does not match HandoffOffer correlation_id$/);
});
