import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalConnection } from "../../src/transport/local_connection.ts";
import { FakeStream } from "./fake_stream.ts";
import { pattern } from "./_transport.ts";

test("both web streams are of one connection, made once", async () => {
  const stream = new FakeStream(pattern(3));
  const connection = new LocalConnection(stream);
  assert.equal(connection.readable, connection.readable);
  assert.equal(connection.writable, connection.writable);
  assert.deepEqual((await connection.readable.getReader().read()).value, pattern(3));
  await connection.writable.getWriter().write(pattern(2));
  assert.deepEqual(stream.sent, pattern(2));
});

test("close() closes the stream", () => {
  const stream = new FakeStream();
  new LocalConnection(stream).close();
  assert.equal(stream.calls.close, 1);
});

test("disposing closes the stream and waits until it is gone", async () => {
  const stream = new FakeStream();
  let isGone = false;
  void stream.closed.then(() => isGone = true);
  {
    await using connection = new LocalConnection(stream);
    assert.equal(connection.stream, stream);
  }
  assert.equal(stream.calls.close, 1);
  assert.equal(isGone, true);
});
