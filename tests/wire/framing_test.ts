import assert from "node:assert/strict";
import test from "node:test";
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { encodeFramed, encodeFramedBody, tryDecodeFramed } from "../../src/wire/framing.ts";
import { FramingError } from "../../src/wire/framing_error.ts";
import { FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { fromHex, toHex } from "../support/golden.ts";
import { assertGolden, fromGolden, type GoldenMessage } from "./golden_message.ts";
import { checkVectors } from "./golden_vectors.ts";

checkVectors<{ id: string; input: GoldenMessage; wire: string }>(
  "framed",
  "encodeFramed() and tryDecodeFramed() agree with the reference",
  (vector) => {
    const frame = fromGolden(FrameSchema, vector.input);
    assert.equal(toHex(encodeFramed(frame)), vector.wire);
    assert.equal(toHex(encodeFramedBody(encodeMessage(FrameSchema, frame))), vector.wire);
    const decoded = tryDecodeFramed(fromHex(vector.wire));
    assert.ok(decoded.kind === "frame");
    assert.deepEqual(decoded.frame, frame);
    assert.equal(decoded.consumed, vector.wire.length / 2);
  },
);

interface BufferVector {
  id: string;
  hex: string;
  buffer: "need_more" | { consumed: number; frame: GoldenMessage } | { error: string; message: string };
}

checkVectors<BufferVector>(
  "framing_decode",
  "tryDecodeFramed() judges a buffer as the reference",
  (vector) => {
    const decoded = tryDecodeFramed(fromHex(vector.hex));
    if (vector.buffer === "need_more") assert.deepEqual(decoded, { kind: "need-more" });
    else if ("frame" in vector.buffer) {
      assert.ok(decoded.kind === "frame");
      assert.equal(decoded.consumed, vector.buffer.consumed);
      assertGolden(FrameSchema, decoded.frame, vector.buffer.frame);
    } else {
      assert.ok(decoded.kind === "error");
      assert.equal(decoded.error.kind, vector.buffer.error);
      assert.equal(decoded.error.detail, vector.buffer.message);
    }
  },
);

test("encodeFramed() accepts a body of exactly 16 MiB and refuses one byte more", () => {
  // The payload field's key and length take 5 bytes.
  const largest = encodeFramed({ payload: new Uint8Array(FRAME_BYTES_MAX - 5) });
  assert.equal(largest.length, FRAME_HEADER_BYTES + FRAME_BYTES_MAX);
  assert.equal(tryDecodeFramed(largest).kind, "frame");
  assert.throws(() => encodeFramed({ payload: new Uint8Array(FRAME_BYTES_MAX - 4) }), {
    name: "FramingError",
    kind: "FrameTooLarge",
    detail: "frame body too large: 16777217 bytes exceeds cap 16777216",
  });
});

test("encodeFramedBody() refuses a body beyond 16 MiB and copies a smaller one", () => {
  assert.throws(() => encodeFramedBody(new Uint8Array(FRAME_BYTES_MAX + 1)), FramingError);
  const body = Uint8Array.of(8, 1);
  const framed = encodeFramedBody(body);
  body.fill(255);
  assert.equal(toHex(framed), "01020000000801");
});

test("tryDecodeFramed() keeps no view of the buffer", () => {
  const buffer = encodeFramed({ envelopeVersion: 1, payload: Uint8Array.of(1, 2, 3), traceparent: "tp" });
  const decoded = tryDecodeFramed(buffer);
  buffer.fill(255);
  assert.ok(decoded.kind === "frame");
  assert.deepEqual([...decoded.frame.payload], [1, 2, 3]);
});
