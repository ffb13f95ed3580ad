import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { turns, WAIT, within } from "../support/waiting.ts";
import { pattern, readAll, readBytes, STREAM_KINDS } from "./_transport.ts";

const isClosedError = (error: unknown) => BrokerError.is(error) && error.code === "closed";

for (const [kind, open] of Object.entries(STREAM_KINDS)) {
  describe(`a stream that was ${kind}`, () => {
    test("a read that was given up loses nothing", async () => {
      await using pair = await open();
      for (let round = 0; round < 30; round++) {
        await assert.rejects(readGivenUp(pair.subject, `reason ${round}`), new RegExp(`reason ${round}$`));
        const part = pattern(1 + round * 500, round);
        const writing = pair.peer.write(part);
        // The bytes may arrive before, while or after the next read is given up.
        await turns(round % 3);
        const early = new AbortController();
        const reading = pair.subject.read(early.signal).catch(() => new Uint8Array(0));
        await turns(round % 2);
        early.abort();
        const first = await reading;
        assert.ok(first !== null);
        const rest = await readBytes(pair.subject, part.length - first.length);
        assert.deepEqual(concatBytes(first, rest), part);
        await writing;
      }
    });

    test("a second read beside one under way is refused and takes nothing", async () => {
      await using pair = await open();
      const first = pair.subject.read();
      await assert.rejects(pair.subject.read(), /another read of this stream is under way/);
      await pair.peer.write(pattern(9));
      assert.deepEqual(await within("the first read", first), pattern(9));
    });

    test("unread() puts bytes in front, also behind the end", async () => {
      await using pair = await open();
      await pair.peer.write(pattern(10));
      assert.deepEqual(await readBytes(pair.subject, 4), pattern(4));
      pair.subject.unread(Uint8Array.of(101, 102));
      assert.deepEqual(await readBytes(pair.subject, 8), concatBytes(Uint8Array.of(101, 102), pattern(6, 4)));
      await pair.peer.closeWrite();
      assert.equal(await pair.subject.read(), null);
      pair.subject.unread(Uint8Array.of(7));
      assert.deepEqual(await pair.subject.read(), Uint8Array.of(7));
      assert.equal(await pair.subject.read(), null);
    });

    test("a peer that is gone ends reading behind its last byte and fails writing", async () => {
      await using pair = await open();
      await pair.peer.write(pattern(2_000));
      pair.peer.close();
      await pair.peer.closed;
      assert.deepEqual(await readBytes(pair.subject, 2_000), pattern(2_000));
      assert.equal(await within("the end", pair.subject.read()), null);
      const writes = (async () => {
        for (;;) await pair.subject.write(pattern(100_000));
      })();
      await assert.rejects(within("the writes", writes), isClosedError);
      await within("ending", pair.subject.closeWrite());
      pair.subject.close();
      await within("closing", pair.subject.closed);
    });

    test("a peer that leaves without having read fails or ends the other side", async () => {
      await using pair = await open();
      await pair.subject.write(pattern(100));
      const reading = pair.subject.read();
      pair.peer.close();
      const seen = await within("the read", reading.catch((error) => error));
      assert.ok(seen === null || isClosedError(seen), String(seen));
      await assert.rejects(within("a write", writeUntilRefused(pair.subject)), isClosedError);
    });

    test("close() may be repeated, ends the reads and refuses the writes", async () => {
      await using pair = await open();
      const reading = pair.subject.read();
      pair.subject.close();
      pair.subject.close();
      assert.equal(await within("the read under way", reading), null);
      assert.equal(await pair.subject.read(), null);
      await assert.rejects(pair.subject.write(pattern(1)), isClosedError);
      await pair.subject.closeWrite();
      await within("the end", pair.subject.closed);
      assert.equal((await readAll(pair.peer)).length, 0);
    });

    test("close() fails a write under way", async () => {
      await using pair = await open();
      const writes = [pair.subject.write(pattern(4 * 1024 * 1024)), pair.subject.write(pattern(10))];
      const ends = Promise.allSettled(writes);
      await readBytes(pair.peer, 10);
      pair.subject.close();
      for (const end of await within("the writes", ends)) {
        assert.ok(end.status === "rejected" && isClosedError(end.reason), JSON.stringify(end));
      }
    });

    test("a peer that leaves fails a write under way", async () => {
      await using pair = await open();
      const writing = pair.subject.write(pattern(4 * 1024 * 1024));
      await readBytes(pair.peer, 10);
      pair.peer.close();
      await assert.rejects(within("the write", writing), isClosedError);
    });

    test("a read whose signal has fired already takes nothing", async () => {
      await using pair = await open();
      await pair.peer.write(pattern(3));
      await assert.rejects(pair.subject.read(AbortSignal.abort(new Error("too late"))), /too late/);
      assert.deepEqual(await readBytes(pair.subject, 3), pattern(3));
    });
  });
}

async function readGivenUp(stream: LocalStream, reason: string): Promise<unknown> {
  const controller = new AbortController();
  const reading = stream.read(controller.signal);
  await turns(1);
  controller.abort(new Error(reason));
  return await reading;
}

async function writeUntilRefused(stream: LocalStream): Promise<never> {
  const end = performance.now() + WAIT.deadlineMs;
  while (performance.now() < end) await stream.write(pattern(10));
  throw new Error("every write was taken");
}
