import assert from "node:assert/strict";
import test from "node:test";
import {
  decodeAdminReply,
  decodeAdminRequest,
  encodeAdminReply,
  encodeAdminRequest,
} from "../../src/wire/admin_frames.ts";
import { tryDecodeFramed } from "../../src/wire/framing.ts";
import { AdminReplySchema, AdminRequestSchema, AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { toHex } from "../support/golden.ts";
import { assertGolden, fromGolden, type GoldenMessage } from "./golden_message.ts";
import { checkVectors } from "./golden_vectors.ts";

interface AdminVector {
  id: string;
  request_frame: GoldenMessage;
  error?: string;
  request?: GoldenMessage;
  reply?: GoldenMessage;
  reply_wire?: string;
}

checkVectors<AdminVector>("admin", "request checks and reply frames agree with the reference", (vector) => {
  const frame = fromGolden(FrameSchema, vector.request_frame);
  const decoded = decodeAdminRequest(frame);
  if (vector.error !== undefined) {
    assert.ok(!decoded.ok, "accepted");
    assert.equal(decoded.detail, vector.error);
    return;
  }
  assert.ok(vector.request !== undefined && vector.reply !== undefined, "unknown shape");
  assert.ok(decoded.ok);
  assertGolden(AdminRequestSchema, decoded.request, vector.request);
  const reply = fromGolden(AdminReplySchema, vector.reply);
  const wire = encodeAdminReply(frame, reply);
  assert.equal(toHex(wire), vector.reply_wire);
  assert.deepEqual(decodeAdminReply(wire.subarray(5)), { ok: true, reply });
});

test("decodeAdminRequest() checks in order and names the reference's error kinds", () => {
  const wrong = { envelope_version: 0, kind: 2, payload_protocol: 7, payload_encoding: 3, payload: "ff" };
  const steps = [
    [{}, "UnsupportedEnvelopeVersion", "unsupported admin frame envelope_version 0"],
    [{ envelope_version: 1 }, "UnexpectedKind", "admin frame kind must be REQUEST, got 2"],
    [{ kind: 0 }, "UnexpectedPayloadProtocol", "admin frame payload_protocol must be 0xAD01, got 7"],
    [
      { payload_protocol: 0xad01 },
      "UnsupportedPayloadEncoding",
      "admin frame payload must not be compressed, got 3",
    ],
    [{ payload_encoding: 0 }, "Decode", "failed to decode Protobuf message: invalid varint"],
  ] as const;
  let fields = { ...wrong };
  for (const [fix, kind, detail] of steps) {
    fields = { ...fields, ...fix };
    assert.deepEqual(decodeAdminRequest(fromGolden(FrameSchema, fields)), { ok: false, kind, detail });
  }
});

test("encodeAdminRequest() is a request with id 1 that decodeAdminRequest() takes", () => {
  const fields = { verb: AdminVerb.SHUTDOWN, json: true, drainDeadlineMs: 1n << 40n };
  const framed = tryDecodeFramed(encodeAdminRequest(fields));
  assert.ok(framed.kind === "frame");
  assert.equal(framed.frame.requestId, 1n);
  const decoded = decodeAdminRequest(framed.frame);
  assert.ok(decoded.ok);
  const { verb, json, drainDeadlineMs } = decoded.request;
  assert.deepEqual({ verb, json, drainDeadlineMs }, fields);
});

test("decodeAdminReply() tells the three failures apart", () => {
  const reply = (fields: object) => decodeAdminReply(encodeMessage(FrameSchema, fields));
  const cause = "failed to decode Protobuf message: invalid varint";
  assert.deepEqual(decodeAdminReply(Uint8Array.of(255)), {
    ok: false,
    kind: "DecodeFrame",
    cause,
    detail: `failed to decode broker response Frame: ${cause}`,
  });
  assert.deepEqual(reply({ envelopeVersion: 1, kind: 1, payloadProtocol: 0 }), {
    ok: false,
    kind: "UnexpectedResponseFrame",
    cause: "payload_protocol is not admin",
    detail: "unexpected broker response frame: payload_protocol is not admin",
  });
  const body = { envelopeVersion: 1, kind: 1, payloadProtocol: 0xad01, payload: Uint8Array.of(255) };
  assert.deepEqual(reply(body), {
    ok: false,
    kind: "DecodeAdminReply",
    cause,
    detail: `failed to decode broker AdminReply: ${cause}`,
  });
});
