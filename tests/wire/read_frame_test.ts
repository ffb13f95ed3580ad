import assert from "node:assert/strict";
import test from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { type ByteSource, readFrame } from "../../src/wire/read_frame.ts";
import { toHex } from "../support/golden.ts";
import { ChunkSource } from "./chunk_source.ts";
import { checkStreamVectors, streamFailure } from "./stream_vectors.ts";

checkStreamVectors("readFrame()", async (chunks, frameBytesMax) => {
  const source = new ChunkSource(chunks);
  try {
    return { body: toHex(await readFrame(source, { frameBytesMax })), rest: toHex(source.rest()) };
  } catch (error) {
    return streamFailure(error);
  }
});

const first = encodeFramed({ envelopeVersion: 1, requestId: 5n });
const second = encodeFramed({ envelopeVersion: 1, requestId: 6n });

test("readFrame() consumes one frame and gives the rest back, at every split", async () => {
  const bytes = concatBytes(first, second, Uint8Array.of(7));
  for (let split = 0; split <= bytes.length; split++) {
    const chunks = [bytes.slice(0, split), bytes.slice(split)].filter((chunk) => chunk.length > 0);
    const source = new ChunkSource(chunks);
    assert.equal(toHex(await readFrame(source)), toHex(first.subarray(5)));
    assert.equal(toHex(source.rest()), toHex(bytes.subarray(first.length)));
    assert.equal(toHex(await readFrame(source)), toHex(second.subarray(5)));
    assert.equal(toHex(source.rest()), "07");
  }
});

test("readFrame() gives nothing back when nothing lies behind the frame", async () => {
  const chunks = [first];
  const source: ByteSource = {
    read: () => Promise.resolve(chunks.shift() ?? null),
    unread: () => assert.fail("called unread"),
  };
  assert.equal(toHex(await readFrame(source)), toHex(first.subarray(5)));
});

test("readFrame() reports a failing source as Io and keeps the cause", async () => {
  const cause = new Error("Connection reset by peer (os error 104)");
  await assert.rejects(readFrame(new ChunkSource([first.slice(0, 3)], cause)), {
    name: "FramingError",
    kind: "Io",
    detail: "I/O error: Connection reset by peer (os error 104)",
    cause,
  });
});

test("readFrame() reports also a cause that is no Error", async () => {
  await assert.rejects(readFrame(new ChunkSource([], "gone")), { kind: "Io", detail: "I/O error: gone" });
});

test("readFrame() passes a typed error of the source on", async () => {
  const error = new BrokerError("deadline", "Read timed out");
  await assert.rejects(readFrame(new ChunkSource([], error)), (seen) => seen === error);
});

test("readFrame() rejects with the signal's reason", async () => {
  const reason = new Error("enough");
  const already = AbortSignal.abort(reason);
  await assert.rejects(readFrame(new ChunkSource([first]), { signal: already }), (seen) => seen === reason);

  const controller = new AbortController();
  const waiting: ByteSource = {
    read: (signal) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    unread: () => assert.fail("called unread"),
  };
  const pending = readFrame(waiting, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(pending, (seen) => seen === reason);
});
