import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { settled, WAIT, within } from "../support/waiting.ts";
import { pattern, readAll, readBytes, STREAM_KINDS } from "./_transport.ts";

const MIB = 1024 * 1024;
const isClosedError = (error: unknown) => BrokerError.is(error) && error.code === "closed";

for (const [kind, open] of Object.entries(STREAM_KINDS)) {
  describe(`a stream that was ${kind}`, () => {
    test("carries 1 MiB each way at the same time, unchanged", async () => {
      await using pair = await open();
      const there = pattern(MIB);
      const back = pattern(MIB, 7);
      const [, , seenThere, seenBack] = await Promise.all([
        pair.subject.write(there),
        pair.peer.write(back),
        readBytes(pair.peer, MIB),
        readBytes(pair.subject, MIB),
      ]);
      assert.deepEqual(seenThere, there);
      assert.deepEqual(seenBack, back);
    });

    test("slows a writer down whose bytes nobody reads, and loses none of them", async () => {
      await using pair = await open();
      await checkBackpressure(pair.peer, pair.subject);
    });

    test("slows its own writer down when the peer does not read", async () => {
      await using pair = await open();
      await checkBackpressure(pair.subject, pair.peer);
    });

    test("write() resolves only once all bytes have left", async () => {
      await using pair = await open();
      let isDone = false;
      const bytes = pattern(4 * MIB);
      const writing = pair.subject.write(bytes).then(() => isDone = true);
      assert.deepEqual(await readBytes(pair.peer, 10), bytes.subarray(0, 10));
      await settled(() => Number(isDone));
      assert.equal(isDone, false);
      assert.deepEqual(await readBytes(pair.peer, bytes.length - 10), bytes.subarray(10));
      await within("the write", writing);
    });

    test("a buffer may be changed as soon as its write has resolved", async () => {
      await using pair = await open();
      const buffer = new Uint8Array(48 * 1024);
      const rounds = 40;
      const reading = readBytes(pair.peer, rounds * buffer.length);
      for (let round = 0; round < rounds; round++) {
        buffer.fill(round);
        await pair.subject.write(buffer);
        buffer.fill(0xff);
      }
      const seen = await reading;
      for (let round = 0; round < rounds; round++) {
        const part = seen.subarray(round * buffer.length, (round + 1) * buffer.length);
        assert.ok(part.every((byte) => byte === round), `round ${round}`);
      }
    });

    test("chunks that were read are never changed later", async () => {
      await using pair = await open();
      const chunks: { chunk: Uint8Array; copy: Uint8Array }[] = [];
      const total = 2 * MIB;
      const writing = pair.peer.write(pattern(total));
      for (let seen = 0; seen < total;) {
        const chunk = await pair.subject.read();
        assert.ok(chunk !== null);
        chunks.push({ chunk, copy: chunk.slice() });
        seen += chunk.length;
      }
      await writing;
      for (const { chunk, copy } of chunks) assert.deepEqual(chunk, copy);
    });

    test("writes that do not wait for each other keep their order, and the end comes behind them", async () => {
      await using pair = await open();
      const parts = [pattern(MIB, 1), pattern(MIB, 2), pattern(3, 3), new Uint8Array(0), pattern(MIB, 4)];
      const writing = Promise.all([
        ...parts.map((part) => pair.subject.write(part)),
        pair.subject.closeWrite(),
      ]);
      assert.deepEqual(await readAll(pair.peer), concatBytes(...parts));
      await within("the writes", writing);
    });

    test("closeWrite() ends one direction; the connection is gone when both have ended", async () => {
      await using pair = await open();
      await pair.subject.write(pattern(5));
      await pair.subject.closeWrite();
      await pair.subject.closeWrite();
      assert.deepEqual(await readAll(pair.peer), pattern(5));
      await pair.peer.write(pattern(6));
      assert.deepEqual(await readBytes(pair.subject, 6), pattern(6));
      await pair.peer.closeWrite();
      assert.equal(await pair.subject.read(), null);
      assert.equal(await pair.subject.read(), null);
      await within("the subject's end", pair.subject.closed);
      await within("the peer's end", pair.peer.closed);
    });

    test("a write behind closeWrite() is refused, and reading goes on", async () => {
      await using pair = await open();
      await pair.subject.closeWrite();
      await assert.rejects(within("the write", pair.subject.write(pattern(3))), isClosedError);
      await pair.peer.write(pattern(4));
      assert.deepEqual(await readBytes(pair.subject, 4), pattern(4));
    });
  });
}

/** Far more than kernel buffers and read-ahead of both sides together. */
const FLOOD_BYTES = 6 * MIB;
const HELD_BYTES_MAX = 2 * MIB;

async function checkBackpressure(writer: LocalStream, reader: LocalStream): Promise<void> {
  const bytes = pattern(FLOOD_BYTES);
  const step = 64 * 1024;
  let written = 0;
  const writing = (async () => {
    for (let at = 0; at < bytes.length; at += step) {
      await writer.write(bytes.subarray(at, at + step));
      written = at + step;
    }
  })();
  const first = await reader.read(AbortSignal.timeout(WAIT.deadlineMs));
  assert.ok(first !== null);
  const held = await settled(() => written);
  assert.ok(held < HELD_BYTES_MAX, `${held} bytes were taken from a writer that nobody reads`);
  reader.unread(first);
  assert.deepEqual(await readBytes(reader, bytes.length), bytes);
  await within("the writes", writing);
}
