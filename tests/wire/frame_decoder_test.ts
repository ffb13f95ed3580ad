import fc from "fast-check";
import assert from "node:assert/strict";
import test from "node:test";
import { concatBytes } from "../../src/wire/bytes.ts";
import { HELLO_BYTES_MAX } from "../../src/wire/constants.ts";
import { createFrameDecoder } from "../../src/wire/frame_decoder.ts";
import { encodeFramedBody } from "../../src/wire/framing.ts";
import { FramingError } from "../../src/wire/framing_error.ts";
import { toHex } from "../support/golden.ts";
import { chunksOf } from "./chunk_source.ts";

const body = fc.uint8Array({ maxLength: 40, size: "max" });
const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12, size: "max" });

/** What a decoder makes of a stream: the bodies, then the residue or the error. */
function decodeAll(chunks: readonly Uint8Array[], frameBytesMax: number): { bodies: string[]; end: string } {
  const decoder = createFrameDecoder({ frameBytesMax });
  const bodies: string[] = [];
  try {
    for (const chunk of chunks) bodies.push(...decoder.push(chunk).map(toHex));
  } catch (error) {
    assert.ok(error instanceof FramingError);
  }
  return { bodies, end: decoder.failure()?.detail ?? `rest ${toHex(decoder.residue())}` };
}

test("createFrameDecoder() yields every frame and the residue, however the stream is cut", () => {
  fc.assert(fc.property(fc.array(body, { maxLength: 8, size: "max" }), body, cuts, (bodies, tail, ends) => {
    const rest = tail.length === 0 ? tail : encodeFramedBody(tail).subarray(0, 4);
    const bytes = concatBytes(...bodies.map(encodeFramedBody), rest);
    const wanted = { bodies: bodies.map(toHex), end: `rest ${toHex(rest)}` };
    assert.deepEqual(decodeAll(chunksOf(bytes, ends), 40), wanted);
    assert.deepEqual(decodeAll(Array.from(bytes, (byte) => Uint8Array.of(byte)), 40), wanted);
  }));
});

test("createFrameDecoder() treats garbage alike however it is cut, and never throws anything untyped", () => {
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 100, size: "max" }),
    fc.tuple(body, fc.uint8Array({ maxLength: 30, size: "max" })).map(([one, junk]) =>
      concatBytes(encodeFramedBody(one), junk)
    ),
  );
  fc.assert(fc.property(garbage, cuts, (bytes, ends) => {
    assert.deepEqual(decodeAll(chunksOf(bytes, ends), 64), decodeAll([bytes], 64));
  }));
});

test("createFrameDecoder() is unusable after an error", () => {
  const decoder = createFrameDecoder();
  assert.throws(() => decoder.push(Uint8Array.of(2)), { kind: "UnsupportedFramingVersion" });
  assert.throws(() => decoder.push(encodeFramedBody(Uint8Array.of())), { kind: "UnsupportedFramingVersion" });
});

test("createFrameDecoder() delivers complete frames before it reports what follows them", () => {
  const decoder = createFrameDecoder();
  assert.deepEqual(
    decoder.push(concatBytes(encodeFramedBody(Uint8Array.of(9)), Uint8Array.of(7))).map(toHex),
    [
      "09",
    ],
  );
  assert.equal(decoder.failure()?.kind, "UnsupportedFramingVersion");
  assert.throws(() => decoder.push(Uint8Array.of()), { kind: "UnsupportedFramingVersion" });
});

test("createFrameDecoder() accepts a body of the limit and refuses one byte more at the header", () => {
  const decoder = createFrameDecoder({ frameBytesMax: HELLO_BYTES_MAX });
  assert.equal(decoder.push(encodeFramedBody(new Uint8Array(HELLO_BYTES_MAX))).length, 1);
  assert.throws(() => decoder.push(Uint8Array.of(1, 1, 0, 1, 0)), { kind: "FrameTooLarge" });
});

test("createFrameDecoder() keeps no view of a chunk", () => {
  const wire = encodeFramedBody(Uint8Array.of(1, 2, 3));
  for (const split of [wire.length, 6, 3]) {
    const decoder = createFrameDecoder();
    const bodies: Uint8Array[] = [];
    for (const chunk of chunksOf(concatBytes(wire, Uint8Array.of(1, 5)), [split])) {
      bodies.push(...decoder.push(chunk));
      chunk.fill(255);
    }
    assert.deepEqual(bodies.map(toHex), ["010203"]);
    assert.equal(toHex(decoder.residue()), "0105");
    decoder.residue().fill(255);
    assert.equal(toHex(decoder.residue()), "0105");
  }
});
