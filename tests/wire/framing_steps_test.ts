import assert from "node:assert/strict";
import test from "node:test";
import { concatBytes } from "../../src/wire/bytes.ts";
import { FRAME_BYTES_MAX, HELLO_BYTES_MAX } from "../../src/wire/constants.ts";
import { encodeFramedBody } from "../../src/wire/framing.ts";
import { HelloSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { decodeStrict, encodeMessage } from "../../src/wire/strict_decode.ts";
import { toHex } from "../support/golden.ts";
import { ChunkSource } from "./chunk_source.ts";

function header(length: number): Uint8Array {
  const bytes = Uint8Array.of(1, 0, 0, 0, 0);
  new DataView(bytes.buffer).setUint32(1, length, true);
  return bytes;
}

test("a body of no bytes survives", async () => {
  const bytes = encodeFramedBody(new Uint8Array(0));
  assert.equal(toHex(bytes), "0100000000");
  assert.equal((await readFrame(new ChunkSource([bytes]))).length, 0);
});

test("a frame is a version byte, the little-endian length and the body as it is", () => {
  const body = new Uint8Array(100).fill(0xab);
  const bytes = encodeFramedBody(body);
  assert.equal(bytes.length, 5 + body.length);
  assert.equal(toHex(bytes.subarray(0, 5)), "0164000000");
  assert.deepEqual(bytes.subarray(5), body);
  assert.equal(toHex(encodeFramedBody(new Uint8Array(0x1234)).subarray(0, 5)), "0134120000");
});

test("the caps are 16 MiB and 64 KiB", () => {
  assert.deepEqual([FRAME_BYTES_MAX, HELLO_BYTES_MAX], [16 * 1024 * 1024, 64 * 1024]);
});

test("a first byte of 2 is an unsupported framing version", async () => {
  await assert.rejects(readFrame(new ChunkSource([Uint8Array.of(2)])), {
    kind: "UnsupportedFramingVersion",
    detail: "unsupported framing version: got 2, expected 1",
  });
});

test("a length beyond the cap names both numbers, before a byte of the body is there", async () => {
  await assert.rejects(readFrame(new ChunkSource([header(FRAME_BYTES_MAX + 1)])), {
    kind: "FrameTooLarge",
    detail: "frame body too large: 16777217 bytes exceeds cap 16777216",
  });
});

test("the cap of a Hello refuses what the cap of a frame takes", async () => {
  const bytes = concatBytes(header(HELLO_BYTES_MAX + 1), new Uint8Array(HELLO_BYTES_MAX + 1));
  await assert.rejects(readFrame(new ChunkSource([bytes]), { frameBytesMax: HELLO_BYTES_MAX }), {
    kind: "FrameTooLarge",
    detail: "frame body too large: 65537 bytes exceeds cap 65536",
  });
  assert.equal((await readFrame(new ChunkSource([bytes]))).length, HELLO_BYTES_MAX + 1);
});

test("a stream that ends early says in which part of the frame", async () => {
  const cases = [
    [new Uint8Array(0), "framing byte"],
    [Uint8Array.of(1, 9), "body length header"],
    [concatBytes(header(9), Uint8Array.of(1, 2)), "frame body"],
  ] as const;
  for (const [bytes, context] of cases) {
    const source = new ChunkSource(bytes.length === 0 ? [] : [bytes]);
    await assert.rejects(readFrame(source), { kind: "UnexpectedEof", context });
  }
});

test("a Hello with a field that nobody knows behind it decodes, the known ones intact", () => {
  const hello = { serviceName: "zccache", wantedVersion: "1.11.20", peerPid: 77, clientMaxProtocol: 1 };
  const unknown = Uint8Array.of(0xaa, 0x01, 2, 0x68, 0x69); // field 21, of two bytes
  const bytes = concatBytes(encodeMessage(HelloSchema, hello), unknown);
  const { serviceName, wantedVersion, peerPid, clientMaxProtocol } = decodeStrict(HelloSchema, bytes);
  assert.deepEqual({ serviceName, wantedVersion, peerPid, clientMaxProtocol }, hello);
});
