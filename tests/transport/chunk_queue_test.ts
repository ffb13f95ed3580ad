import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerError } from "../../src/errors.ts";
import { ChunkQueue } from "../../src/transport/chunk_queue.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("chunks come out as they came in, whoever waits first", async () => {
  const queue = new ChunkQueue();
  queue.push(bytes(1, 2));
  queue.push(bytes(3));
  assert.deepEqual(await queue.read(), bytes(1, 2));
  assert.deepEqual(await queue.read(), bytes(3));
  const waiting = queue.read();
  queue.push(bytes(4));
  queue.push(bytes(5));
  assert.deepEqual(await waiting, bytes(4));
  assert.deepEqual(await queue.read(), bytes(5));
});

test("bytes tells what waits for a reader", async () => {
  const queue = new ChunkQueue();
  assert.equal(queue.bytes, 0);
  queue.push(bytes(1, 2));
  queue.unshift(bytes(0));
  assert.equal(queue.bytes, 3);
  await queue.read();
  assert.equal(queue.bytes, 2);
  await queue.read();
  assert.equal(queue.bytes, 0);
  const waiting = queue.read();
  queue.push(bytes(3));
  assert.equal(queue.bytes, 0);
  await waiting;
});

test("an empty chunk is none: null is the only end", async () => {
  const queue = new ChunkQueue();
  const waiting = queue.read();
  queue.push(bytes());
  queue.unshift(bytes());
  queue.push(bytes(1));
  assert.deepEqual(await waiting, bytes(1));
});

test("the end comes behind the data, and stays", async () => {
  const queue = new ChunkQueue();
  queue.push(bytes(1));
  queue.end();
  queue.push(bytes(2));
  assert.deepEqual(await queue.read(), bytes(1));
  assert.equal(await queue.read(), null);
  assert.equal(await queue.read(), null);
});

test("an error comes behind the data, and stays", async () => {
  const queue = new ChunkQueue();
  queue.push(bytes(1));
  queue.end(new Error("reset"));
  assert.deepEqual(await queue.read(), bytes(1));
  await assert.rejects(queue.read(), /reset/);
  await assert.rejects(queue.read(), /reset/);
});

test("the first end counts", async () => {
  const clean = new ChunkQueue();
  clean.end();
  clean.end(new Error("later"));
  assert.equal(await clean.read(), null);
  const failed = new ChunkQueue();
  failed.end(new Error("first"));
  failed.end();
  await assert.rejects(failed.read(), /first/);
});

test("the end and an error reach a reader that waits", async () => {
  const clean = new ChunkQueue();
  const ended = clean.read();
  clean.end();
  assert.equal(await ended, null);
  const failing = new ChunkQueue();
  const failed = failing.read();
  failing.end(new Error("reset"));
  await assert.rejects(failed, /reset/);
});

test("what is put back comes first, also behind the end", async () => {
  const queue = new ChunkQueue();
  queue.push(bytes(2));
  queue.unshift(bytes(1));
  queue.end();
  assert.deepEqual(await queue.read(), bytes(1));
  assert.deepEqual(await queue.read(), bytes(2));
  assert.equal(await queue.read(), null);
  queue.unshift(bytes(3));
  assert.deepEqual(await queue.read(), bytes(3));
  assert.equal(await queue.read(), null);
});

test("a read given up takes nothing, and the next one gets the data", async () => {
  const queue = new ChunkQueue();
  const controller = new AbortController();
  const first = queue.read(controller.signal);
  controller.abort(new Error("given up"));
  await assert.rejects(first, /given up/);
  const second = queue.read();
  queue.push(bytes(1));
  assert.deepEqual(await second, bytes(1));
});

test("a signal that has fired stops a read before it takes a chunk", async () => {
  const queue = new ChunkQueue();
  queue.push(bytes(1));
  await assert.rejects(queue.read(AbortSignal.abort(new Error("too late"))), /too late/);
  assert.deepEqual(await queue.read(), bytes(1));
});

test("a signal that fires after its read is over changes nothing", async () => {
  const queue = new ChunkQueue();
  const controller = new AbortController();
  const first = queue.read(controller.signal);
  queue.push(bytes(1));
  await first;
  const second = queue.read();
  controller.abort();
  queue.push(bytes(2));
  assert.deepEqual(await second, bytes(2));
});

test("no listener stays on a signal, however its read ends", async () => {
  for (const end of ["push", "end", "error"] as const) {
    const queue = new ChunkQueue();
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
    const reading = queue.read(signal).catch(() => undefined);
    assert.equal(listeners, 1);
    if (end === "push") queue.push(bytes(1));
    else queue.end(end === "end" ? undefined : new Error("reset"));
    await reading;
    assert.equal(listeners, 0, end);
  }
});

test("a second reader is refused and does not disturb the first", async () => {
  const queue = new ChunkQueue();
  const first = queue.read();
  await assert.rejects(queue.read(), (error) => BrokerError.is(error) && error.code === "closed");
  queue.push(bytes(1));
  assert.deepEqual(await first, bytes(1));
});

test("clear() drops what waits and keeps the end", async () => {
  const queue = new ChunkQueue();
  queue.push(bytes(1, 2));
  queue.clear();
  assert.equal(queue.bytes, 0);
  queue.push(bytes(3));
  queue.end();
  queue.clear();
  assert.equal(await queue.read(), null);
});
