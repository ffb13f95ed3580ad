import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test from "node:test";
import fc from "fast-check";
import {
  BACKEND_ORDER_PAYLOAD_PROTOCOL,
  type BackendOrder,
  decodeBackendOrder,
  decodeOrderAnswer,
  encodeBackendOrder,
  encodeOrderAnswer,
  type OrderAnswer,
} from "../../src/wire/backend_order.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { encodeFramed, tryDecodeFramed } from "../../src/wire/framing.ts";
import { type Frame, FrameKind } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { isFirstPartyPayloadProtocol, isPrivateUseId } from "../../src/wire/payload_protocol.ts";

function frameOf(bytes: Uint8Array): Frame {
  const decoded = tryDecodeFramed(bytes);
  assert.ok(decoded.kind === "frame");
  return decoded.frame;
}

const bodyOf = (bytes: Uint8Array) => bytes.subarray(FRAME_HEADER_BYTES);
const REQUEST = frameOf(encodeBackendOrder({ kind: "Quiesce", reason: "Maintenance" }));

test("orders have a payload protocol for private use, which is none of the reference's", () => {
  assert.equal(BACKEND_ORDER_PAYLOAD_PROTOCOL, 0xf0b1);
  assert.ok(isPrivateUseId(BACKEND_ORDER_PAYLOAD_PROTOCOL));
  assert.ok(!isFirstPartyPayloadProtocol(BACKEND_ORDER_PAYLOAD_PROTOCOL));
});

test("an order is read as it was written, in a request of its own payload protocol", () => {
  const orders: BackendOrder[] = [
    { kind: "ReleaseHandles", pathPrefix: "/srv/cache/ä" },
    ...(["IdleTimeout", "BrokerShutdown", "Maintenance"] as const).flatMap((reason) =>
      [true, false].map((onlyIfIdle): BackendOrder => ({ kind: "Quiesce", reason, onlyIfIdle }))
    ),
  ];
  for (const order of orders) {
    const frame = frameOf(encodeBackendOrder(order));
    assert.deepEqual([frame.kind, frame.payloadProtocol], [FrameKind.REQUEST, 0xf0b1]);
    assert.deepEqual(decodeBackendOrder(frame), { ok: true, order });
  }
});

test("the bytes of an order stay what they are: brokers and backends are updated at different times", () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const quiesce = encodeBackendOrder({ kind: "Quiesce", reason: "IdleTimeout", onlyIfIdle: true });
  assert.equal(hex(quiesce), "0110000000" + "0801" + "18b1e103" + "2206120408011001" + "2801");
  const release = encodeBackendOrder({ kind: "ReleaseHandles", pathPrefix: "/a" });
  assert.equal(hex(release), "0110000000" + "0801" + "18b1e103" + "22060a040a022f61" + "2801");
  const answer = encodeOrderAnswer(REQUEST, { accepted: true, detail: "x", connectionsOpen: 3 });
  assert.equal(hex(answer), "0113000000" + "08011001" + "18b1e103" + "220708011201781803" + "2801");
});

test("a path that is empty or longer than any is no order", () => {
  for (const pathPrefix of ["", "a".repeat(4_097), "ä".repeat(2_049)]) {
    assert.throws(() => encodeBackendOrder({ kind: "ReleaseHandles", pathPrefix }), RangeError);
  }
  encodeBackendOrder({ kind: "ReleaseHandles", pathPrefix: "a".repeat(4_096) });
});

test("a frame that holds no order is told why", () => {
  const detail = (change: Partial<Frame>) => {
    const decoded = decodeBackendOrder({ ...REQUEST, ...change });
    return decoded.ok ? "an order" : decoded.detail;
  };
  assert.equal(detail({ kind: FrameKind.RESPONSE }), "unexpected order frame: Kind 1");
  assert.equal(detail({ envelopeVersion: 2 }), "unexpected order frame: EnvelopeVersion 2");
  assert.equal(detail({ payloadProtocol: 7 }), "unexpected order frame: PayloadProtocol 7");
  assert.equal(detail({ payload: new Uint8Array(0) }), "unknown order");
  assert.equal(detail({ payload: Uint8Array.of(0x0a, 0) }), "empty path prefix");
  assert.equal(detail({ payload: Uint8Array.of(0x12, 0) }), "unknown quiesce reason 0");
  assert.equal(detail({ payload: Uint8Array.of(0x12, 2, 8, 9) }), "unknown quiesce reason 9");
  assert.match(detail({ payload: Uint8Array.of(0xff) }), /./);
  // An order of a later release.
  assert.equal(detail({ payload: Uint8Array.of(0x1a, 0) }), "unknown order");
});

test("an answer is read as it was written, and echoes its request", () => {
  fc.assert(fc.property(fc.boolean(), fc.string(), fc.nat(2 ** 32 - 1), (accepted, text, connectionsOpen) => {
    const detail = text.replace(/[\ud800-\udfff]/g, "");
    const answer: OrderAnswer = { accepted, detail, connectionsOpen };
    const encoded = encodeOrderAnswer({ ...REQUEST, traceparent: "00-1", tracestate: "v" }, answer);
    assert.deepEqual(decodeOrderAnswer(bodyOf(encoded)), { ok: true, answer });
    const { requestId, traceparent, tracestate } = frameOf(encoded);
    assert.deepEqual([requestId, traceparent, tracestate], [1n, "00-1", "v"]);
  }));
});

test("what is no answer to an order is told why", () => {
  const detail = (body: Uint8Array) => {
    const decoded = decodeOrderAnswer(body);
    return decoded.ok ? "an answer" : decoded.detail;
  };
  const answer = frameOf(encodeOrderAnswer(REQUEST, { accepted: true, detail: "", connectionsOpen: 0 }));
  const changed = (change: Partial<Frame>) => bodyOf(encodeFramed({ ...answer, ...change }));
  assert.equal(detail(bodyOf(encodeFramed(REQUEST))), "unexpected answer frame: Kind 0");
  assert.equal(
    detail(changed({ payloadProtocol: 0xd0ff })),
    "unexpected answer frame: PayloadProtocol 53503",
  );
  assert.equal(detail(changed({ requestId: 2n })), "answer to another request");
  assert.notEqual(detail(changed({ payload: Uint8Array.of(0xff) })), "an answer");
  assert.notEqual(detail(Uint8Array.of(0xff)), "an answer");
});

test("arbitrary payloads are orders or told why, and never thrown", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (payload) => {
    const decoded = decodeBackendOrder({ ...REQUEST, payload: new Uint8Array(payload) });
    assert.ok(decoded.ok || decoded.detail !== "");
    const answer = decodeOrderAnswer(new Uint8Array(payload));
    assert.ok(answer.ok || answer.detail !== "");
  }));
});
