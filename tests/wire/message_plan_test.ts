import { fileDesc, messageDesc } from "@bufbuild/protobuf/codegenv2";
import assert from "node:assert/strict";
import test from "node:test";
import { messagePlan } from "../../src/wire/message_plan.ts";
import { tryDecodeStrict } from "../../src/wire/strict_decode.ts";
import { WireDecodeError } from "../../src/wire/wire_decode_error.ts";
import { FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";

// message Node { Node next = 1; repeated Node more = 2; }  message Numbers { repeated uint32 numbers = 1; }
// message Signed { sint32 number = 1; }  message Counts { map<string, uint32> counts = 1; }
const file = fileDesc(
  "Cgd0LnByb3RvEgF0IjQKBE5vZGUSFQoEbmV4dBgBIAEoCzIHLnQuTm9kZRIVCgRtb3JlGAIgAygLMgcudC5Ob2RlIhoKB051bWJlcnMSDwoHbnVtYmVycxgBIAMoDSIYCgZTaWduZWQSDgoGbnVtYmVyGAEgASgRIl4KBkNvdW50cxIlCgZjb3VudHMYASADKAsyFS50LkNvdW50cy5Db3VudHNFbnRyeRotCgtDb3VudHNFbnRyeRILCgNrZXkYASABKAkSDQoFdmFsdWUYAiABKA06AjgBYgZwcm90bzM",
);
const node = messageDesc(file, 0);

/** Messages within each other, one byte of length each up to a depth of 64, then two. */
function nested(depth: number): Uint8Array {
  let bytes: number[] = [];
  for (let level = 0; level < depth; level++) {
    const length = bytes.length;
    bytes = [
      level % 2 === 0 ? 0x0a : 0x12,
      ...(length < 128 ? [length] : [length & 127 | 128, length >> 7]),
      ...bytes,
    ];
  }
  return Uint8Array.from(bytes);
}

test("messagePlan() orders fields by number and is made once", () => {
  const plan = messagePlan(FrameSchema);
  assert.deepEqual(plan.ordered.map((field) => field.number), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(messagePlan(FrameSchema), plan);
});

test("messagePlan() refuses field types that the codec does not cover", () => {
  for (
    const [index, name] of [[1, "t.Numbers.numbers"], [2, "t.Signed.number"], [3, "t.Counts.counts"]] as const
  ) {
    assert.throws(() => messagePlan(messageDesc(file, index)), {
      name: "TypeError",
      message: `Cannot encode or decode field "field ${name}": the wire codec does not cover its type`,
    });
  }
});

test("tryDecodeStrict() stops at messages nested 100 deep", () => {
  assert.ok(!(tryDecodeStrict(node, nested(100)) instanceof WireDecodeError));
  const decoded = tryDecodeStrict(node, nested(101));
  assert.ok(decoded instanceof WireDecodeError);
  assert.equal(decoded.kind, "RecursionLimitReached");
});
