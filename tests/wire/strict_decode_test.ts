import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import assert from "node:assert/strict";
import test from "node:test";
import {
  type Frame,
  FrameSchema,
  HandoffAckSchema,
  type HelloReply,
  HelloReplySchema,
  NegotiatedSchema,
  RefusedSchema,
} from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { type CacheManifest, CacheManifestSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { decodeStrict, encodeMessage, tryDecodeStrict } from "../../src/wire/strict_decode.ts";
import { WireDecodeError } from "../../src/wire/wire_decode_error.ts";
import { fromHex, toHex } from "../support/golden.ts";

const u32 = fc.oneof(fc.nat(), fc.constantFrom(0, 127, 128, 0xffffffff));
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, (1n << 64n) - 1n, 1n << 63n),
);
const i32 = fc.oneof(fc.nat({ max: 5 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
// Around every length at which a length prefix, a buffer or the way of writing text changes.
const length = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 400 }));
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  length.map((count) => "x".repeat(count)),
  length.map((count) => "é€".repeat(count)),
);
const bytes = length.map((count) => new Uint8Array(count).fill(count));
// The library writes empty keys and values of a map entry, the reference does not.
const map = fc.dictionary(
  fc.string({ unit: "binary", minLength: 1, maxLength: 9 }),
  fc.constantFrom("v", "wert"),
  {
    maxKeys: 1,
    noNullPrototype: true,
  },
);

const frame: fc.Arbitrary<Frame> = fc.record({
  envelopeVersion: u32,
  kind: i32,
  payloadProtocol: u32,
  payload: bytes,
  requestId: u64,
  payloadEncoding: i32,
  deadlineUnixMs: u64,
  traceparent: text,
  tracestate: text,
}).map((fields) => create(FrameSchema, fields as never));

const helloReply: fc.Arbitrary<HelloReply> = fc.oneof(
  fc.record({ reason: text, code: i32, details: map, retryAfterMs: u64 })
    .map((value) => create(HelloReplySchema, { result: { case: "refused", value: value as never } })),
  fc.record({ backendPipe: text, warnings: fc.array(text, { maxLength: 3 }), serverCapabilities: u64 })
    .map((value) => create(HelloReplySchema, { result: { case: "negotiated", value } })),
  fc.constant(create(HelloReplySchema)),
);

const manifest: fc.Arbitrary<CacheManifest> = fc.record({
  serviceName: text,
  roots: fc.array(fc.record({ path: text, labels: map, quota: fc.record({ hardMaxBytes: u64 }) }), {
    maxLength: 3,
  }),
  currentDaemon: fc.option(fc.record({ pid: u32, idleTimeoutSecs: u32, exeHash: bytes }), { nil: undefined }),
  provides: fc.array(text, { maxLength: 3 }),
  selfSha256: bytes,
}).map(({ currentDaemon, ...fields }) =>
  create(CacheManifestSchema, currentDaemon === undefined ? fields : { ...fields, currentDaemon })
);

test("encodeMessage() and decodeStrict() agree with the protobuf library on valid messages", () => {
  const parameters = { numRuns: 150 };
  fc.assert(
    fc.property(frame, (message) => {
      const encoded = encodeMessage(FrameSchema, message);
      assert.equal(toHex(encoded), toHex(toBinary(FrameSchema, message)));
      assert.deepEqual(decodeStrict(FrameSchema, encoded), fromBinary(FrameSchema, encoded));
    }),
    parameters,
  );
  fc.assert(
    fc.property(helloReply, (message) => {
      const encoded = encodeMessage(HelloReplySchema, message);
      assert.equal(toHex(encoded), toHex(toBinary(HelloReplySchema, message)));
      assert.deepEqual(decodeStrict(HelloReplySchema, encoded), message);
    }),
    parameters,
  );
  fc.assert(
    fc.property(manifest, (message) => {
      const encoded = encodeMessage(CacheManifestSchema, message);
      assert.equal(toHex(encoded), toHex(toBinary(CacheManifestSchema, message)));
      assert.deepEqual(decodeStrict(CacheManifestSchema, encoded), message);
    }),
    parameters,
  );
});

test("encodeMessage() agrees with the protobuf library at every length of a nested message", () => {
  for (let length = 0; length < 600; length++) {
    const value = create(NegotiatedSchema, { handlePassedToken: new Uint8Array(length).fill(length) });
    const message = create(HelloReplySchema, { result: { case: "negotiated", value } });
    assert.equal(toHex(encodeMessage(HelloReplySchema, message)), toHex(toBinary(HelloReplySchema, message)));
  }
});

test("tryDecodeStrict() never throws on garbage, truncated or damaged bytes", () => {
  const damaged = fc.tuple(manifest, fc.nat(), fc.nat({ max: 255 }), fc.boolean()).map(
    ([message, at, byte, cut]) => {
      const encoded = encodeMessage(CacheManifestSchema, message);
      if (encoded.length === 0) return encoded;
      return cut ? encoded.slice(0, at % encoded.length) : encoded.with(at % encoded.length, byte);
    },
  );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80, size: "max" }), damaged), (input) => {
      const decoded = tryDecodeStrict(CacheManifestSchema, input);
      if (decoded instanceof WireDecodeError) return;
      // What decodes has a stable encoding without what was not understood.
      const encoded = encodeMessage(CacheManifestSchema, decoded);
      assert.equal(
        toHex(encodeMessage(CacheManifestSchema, decodeStrict(CacheManifestSchema, encoded))),
        toHex(encoded),
      );
    }),
    { numRuns: 400 },
  );
});

test("decodeStrict() keeps no view of its input", () => {
  const input = encodeMessage(FrameSchema, { payload: Uint8Array.of(1, 2, 3), tracestate: "ts" });
  const decoded = decodeStrict(FrameSchema, input);
  input.fill(255);
  assert.deepEqual([...decoded.payload, decoded.tracestate], [1, 2, 3, "ts"]);
});

/** The detail of the failure, without its common front. */
function failure(schema: Parameters<typeof tryDecodeStrict>[0], hex: string): string {
  const decoded = tryDecodeStrict(schema, fromHex(hex));
  assert.ok(decoded instanceof WireDecodeError, "decoded");
  return `${decoded.kind}: ${decoded.detail.replace("failed to decode Protobuf message: ", "")}`;
}

test("decodeStrict() refuses what the reference refuses, with kind and path", () => {
  const frames: readonly (readonly [string, string])[] = [
    ["08ffffffffffffffffff02", "InvalidVarint: Frame.envelope_version: invalid varint"],
    ["08808080808080808080808000", "InvalidVarint: Frame.envelope_version: invalid varint"],
    ["ffffffff7f00", "InvalidKey: invalid key value: 34359738367"],
    ["0e", "InvalidWireType: invalid wire type value: 6"],
    ["0f", "InvalidWireType: invalid wire type value: 7"],
    ["0500000000", "InvalidTag: invalid tag value: 0"],
    ["220200", "BufferUnderflow: Frame.payload: buffer underflow"],
    ["228080808010", "BufferUnderflow: Frame.payload: buffer underflow"],
    ["080100", "InvalidTag: invalid tag value: 0"],
    ["22ffffffffffffffffff01", "BufferUnderflow: Frame.payload: buffer underflow"],
    ["0c", "UnexpectedWireType: Frame.envelope_version: invalid wire type: EndGroup (expected Varint)"],
    ["23", "UnexpectedWireType: Frame.payload: invalid wire type: StartGroup (expected LengthDelimited)"],
    ["51000000", "BufferUnderflow: buffer underflow"],
    ["55000000", "BufferUnderflow: buffer underflow"],
    ["520500", "BufferUnderflow: buffer underflow"],
    ["5308", "InvalidVarint: invalid varint"],
    ["4203eda080", "InvalidString: Frame.traceparent: invalid string value: data is not UTF-8 encoded"],
    ["4202c080", "InvalidString: Frame.traceparent: invalid string value: data is not UTF-8 encoded"],
  ];
  for (const [hex, wanted] of frames) assert.equal(failure(FrameSchema, hex), wanted, hex);
  const replies: readonly (readonly [string, string])[] = [
    ["0a0208", "BufferUnderflow: HelloReply.result: buffer underflow"],
    ["0a02080112", "InvalidVarint: HelloReply.result: invalid varint"],
    ["0a01080112", "DelimitedLengthExceeded: HelloReply.result: delimited length exceeded"],
    ["0a0108", "InvalidVarint: Negotiated.negotiated_protocol: HelloReply.result: invalid varint"],
    ["12042a020a05", "BufferUnderflow: Refused.details: HelloReply.result: buffer underflow"],
    [
      "12042a020801",
      "UnexpectedWireType: Refused.details: HelloReply.result: " +
      "invalid wire type: Varint (expected LengthDelimited)",
    ],
  ];
  for (const [hex, wanted] of replies) assert.equal(failure(HelloReplySchema, hex), wanted, hex);
});

test("decodeStrict() throws what tryDecodeStrict() returns, and both throw on what is no byte array", () => {
  assert.throws(() => decodeStrict(FrameSchema, Uint8Array.of(8)), {
    name: "WireDecodeError",
    code: "protocol",
    kind: "InvalidVarint",
    detail: "failed to decode Protobuf message: Frame.envelope_version: invalid varint",
  });
  assert.throws(() => tryDecodeStrict(FrameSchema, undefined as never), TypeError);
});

test("decodeStrict() takes what the reference takes", () => {
  const frameOf = (hex: string) => decodeStrict(FrameSchema, fromHex(hex));
  assert.equal(frameOf("28ffffffffffffffffff01").requestId, (1n << 64n) - 1n);
  assert.equal(frameOf("28808080808010").requestId, 1n << 39n);
  assert.equal(frameOf("08ffffffffffffffffff01").envelopeVersion, 0xffffffff);
  assert.equal(frameOf("4203efbbbf").traceparent, "\ufeff");
  assert.equal(decodeStrict(HandoffAckSchema, fromHex("1080808080808001")).accepted, true);
  // The reference does not look at a map field's wire type.
  assert.deepEqual(decodeStrict(RefusedSchema, fromHex("28060a016b120176")).details, { k: "v" });
});

test("decodeStrict() stops at a nesting of 100, in groups and in messages", () => {
  const groups = (depth: number) => "53".repeat(depth) + "54".repeat(depth);
  assert.ok(!(tryDecodeStrict(FrameSchema, fromHex(groups(100))) instanceof WireDecodeError));
  assert.equal(failure(FrameSchema, groups(101)), "RecursionLimitReached: recursion limit reached");
  // One level is the message's, so that groups in it may nest one less deep.
  const nested = (depth: number) => {
    const inner = groups(depth);
    const length = inner.length / 2;
    return `0a${(length & 0x7f | 0x80).toString(16)}0${length >> 7}${inner}`;
  };
  assert.ok(!(tryDecodeStrict(HelloReplySchema, fromHex(nested(99))) instanceof WireDecodeError));
  assert.equal(
    failure(HelloReplySchema, nested(100)),
    "RecursionLimitReached: HelloReply.result: recursion limit reached",
  );
});

test("map keys are data, also those that name something of every object", () => {
  const details = Object.fromEntries([["__proto__", "a"], ["constructor", "b"]]);
  const decoded = decodeStrict(RefusedSchema, encodeMessage(RefusedSchema, { details }));
  assert.deepEqual(Object.entries(decoded.details), [["__proto__", "a"], ["constructor", "b"]]);
  assert.equal(Object.getPrototypeOf(decoded.details), Object.prototype);
});

test("encodeMessage() sorts map keys and omits empty keys and values", () => {
  assert.equal(
    toHex(encodeMessage(RefusedSchema, { details: { b: "", a: "x", "": "" } })),
    "2a00" + "2a060a0161120178" + "2a030a0162",
  );
});

test("encodeMessage() refuses values that do not fit their field", () => {
  const attempts: readonly (readonly [object, RegExp])[] = [
    [{ envelopeVersion: -1 }, /^RangeError: Cannot encode "Frame.envelope_version": saw -1/],
    [{ envelopeVersion: 2 ** 32 }, /^RangeError/],
    [{ envelopeVersion: 1.5 }, /^RangeError/],
    [
      { envelopeVersion: "1" },
      /^TypeError: Cannot encode "Frame.envelope_version": saw a value of type string/,
    ],
    [{ requestId: 1n << 64n }, /^RangeError/],
    [{ requestId: -1n }, /^RangeError/],
    [{ requestId: 5 }, /^TypeError/],
    [{ kind: 2 ** 31 }, /^RangeError/],
    [{ kind: -(2 ** 31) - 1 }, /^RangeError/],
    [{ kind: "REQUEST" }, /^TypeError/],
    [{ payload: "text" }, /^TypeError/],
    [
      { traceparent: "\ud800" },
      /^TypeError: Cannot encode "Frame.traceparent": the text has a lone surrogate/,
    ],
    [{ traceparent: 7 }, /^TypeError/],
  ];
  for (const [fields, wanted] of attempts) {
    assert.throws(() => encodeMessage(FrameSchema, fields as never), (error) => wanted.test(String(error)));
  }
  assert.throws(() => encodeMessage(HandoffAckSchema, { accepted: 1 } as never), TypeError);
  assert.throws(() => encodeMessage(RefusedSchema, { details: { a: 1 } } as never), TypeError);
  assert.throws(() => encodeMessage(CacheManifestSchema, { host: "h" } as never), TypeError);
});
