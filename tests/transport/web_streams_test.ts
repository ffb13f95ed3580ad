import assert from "node:assert/strict";
import { test } from "node:test";
import { webStreams } from "../../src/transport/web_streams.ts";
import { FakeStream } from "./fake_stream.ts";
import { adoptedPair, pattern, readAll } from "./_transport.ts";

test("the readable gives what the peer sends and ends with it", async () => {
  const stream = new FakeStream(pattern(3), pattern(5));
  stream.incoming.end();
  const { readable } = webStreams(stream);
  const chunks: Uint8Array[] = [];
  for await (const chunk of readable as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
  assert.deepEqual(chunks, [pattern(3), pattern(5)]);
});

test("nothing is read before somebody asks for it", async () => {
  const stream = new FakeStream(pattern(3));
  const { readable } = webStreams(stream);
  await Promise.resolve();
  assert.equal(stream.incoming.bytes, 3);
  const reader = readable.getReader();
  assert.deepEqual((await reader.read()).value, pattern(3));
  stream.incoming.push(pattern(4));
  await Promise.resolve();
  assert.equal(stream.incoming.bytes, 4);
});

test("the writable writes in order, and closing it ends our direction only", async () => {
  const stream = new FakeStream();
  const { writable } = webStreams(stream);
  const writer = writable.getWriter();
  await writer.write(pattern(3));
  await writer.write(pattern(2, 3));
  await writer.close();
  assert.deepEqual(stream.sent, pattern(5));
  assert.deepEqual(stream.calls, { close: 0, closeWrite: 1 });
});

for (const order of [["read", "write"], ["write", "read"]] as const) {
  test(`the connection is closed once both sides have ended, ${order[0]} first`, async () => {
    const stream = new FakeStream();
    const { readable, writable } = webStreams(stream);
    for (const side of order) {
      assert.equal(stream.calls.close, 0, `before ${side}`);
      if (side === "write") await writable.close();
      else {
        stream.incoming.end();
        assert.equal((await readable.getReader().read()).done, true);
      }
    }
    assert.equal(stream.calls.close, 1);
  });
}

test("cancelling the readable gives the connection up", async () => {
  const stream = new FakeStream(pattern(3));
  await webStreams(stream).readable.cancel("enough");
  assert.equal(stream.calls.close, 1);
});

test("aborting the writable gives the connection up", async () => {
  const stream = new FakeStream();
  await webStreams(stream).writable.abort("enough");
  assert.equal(stream.calls.close, 1);
});

test("an error of the connection reaches the reader and the writer", async () => {
  const stream = new FakeStream();
  const { readable, writable } = webStreams(stream);
  const reading = readable.getReader().read();
  stream.incoming.end(new Error("reset"));
  await assert.rejects(reading, /reset/);
  stream.failure = new Error("broken pipe");
  await assert.rejects(writable.getWriter().write(pattern(1)), /broken pipe/);
});

test("an echo by pipeTo() returns everything and closes the connection", async () => {
  const [near, far] = adoptedPair();
  const { readable, writable } = webStreams(near);
  const echo = readable.pipeTo(writable);
  const bytes = pattern(500_000);
  const answer = readAll(far);
  await far.write(bytes);
  await far.closeWrite();
  assert.deepEqual(await answer, bytes);
  await echo;
  await near.closed;
  far.close();
});

test("an echo by pipeTo() whose peer leaves fails and closes the connection", async () => {
  const stream = new FakeStream(pattern(3));
  stream.failure = new Error("broken pipe");
  const { readable, writable } = webStreams(stream);
  await assert.rejects(readable.pipeTo(writable), /broken pipe/);
  assert.ok(stream.calls.close >= 1);
});
