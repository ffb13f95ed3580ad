import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import test from "node:test";
import { envelopeText, validateEnvelope } from "../../src/wire/envelope.ts";
import { FrameKind, FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { fromGolden, type GoldenMessage } from "./golden_message.ts";
import { checkVectors } from "./golden_vectors.ts";

interface EnvelopeVector {
  id: string;
  frame: GoldenMessage;
  expected_kind: number;
  expected_protocol: number;
  error: string | null;
}

checkVectors<EnvelopeVector>("envelope", "validateEnvelope() agrees with the reference", (vector) => {
  const expected = { kind: vector.expected_kind as FrameKind, payloadProtocol: vector.expected_protocol };
  const error = validateEnvelope(fromGolden(FrameSchema, vector.frame), expected);
  assert.equal(error?.kind ?? null, vector.error);
});

const control = { kind: FrameKind.RESPONSE, payloadProtocol: 0 };

test("validateEnvelope() reports the first failure with the raw number", () => {
  const all = { envelopeVersion: 2, kind: 9, payloadProtocol: 7, payloadEncoding: 3 };
  const steps = [
    { fix: {}, kind: "EnvelopeVersion", got: 2, expected: 1, text: "envelope_version is not v1" },
    { fix: { envelopeVersion: 1 }, kind: "Kind", got: 9, expected: 1, text: "kind is not RESPONSE" },
    {
      fix: { kind: 1 },
      kind: "PayloadProtocol",
      got: 7,
      expected: 0,
      text: "payload_protocol is not control-plane",
    },
    {
      fix: { payloadProtocol: 0 },
      kind: "PayloadEncoding",
      got: 3,
      expected: 0,
      text: "payload is compressed",
    },
  ];
  let fields = all;
  for (const { fix, kind, got, expected, text } of steps) {
    fields = { ...fields, ...fix };
    const error = validateEnvelope(create(FrameSchema, fields as never), control);
    assert.deepEqual(error, { kind, got, expected });
    assert.ok(error !== undefined);
    assert.equal(envelopeText(error, "control-plane"), text);
  }
  assert.equal(
    validateEnvelope(create(FrameSchema, { ...fields, payloadEncoding: 0 } as never), control),
    undefined,
  );
});

test("validateEnvelope() does not look at the request id", () => {
  const frame = create(FrameSchema, { envelopeVersion: 1, kind: FrameKind.RESPONSE, requestId: 99n });
  assert.equal(validateEnvelope(frame, control), undefined);
});

test("envelopeText() names the expected kind and plane of each call site", () => {
  const kind = (expected: FrameKind) => ({ kind: "Kind", got: 3, expected }) as const;
  assert.equal(envelopeText(kind(FrameKind.REQUEST), "handoff"), "kind is not REQUEST");
  assert.equal(envelopeText(kind(FrameKind.EVENT), "handoff"), "kind is not EVENT");
  const protocol = { kind: "PayloadProtocol", got: 1, expected: 2 } as const;
  assert.equal(envelopeText(protocol, "admin"), "payload_protocol is not admin");
  assert.equal(envelopeText(protocol, "handoff"), "payload_protocol is not handoff");
  assert.equal(envelopeText(protocol, "endpoint probe"), "payload_protocol is not endpoint probe");
});
