import assert from "node:assert/strict";
import { test } from "node:test";
import { AckBatch } from "../../src/backend/ack_batch.ts";
import { until } from "../support/waiting.ts";

function batch() {
  const writes: Uint8Array[] = [];
  return { writes, acks: new AckBatch((bytes) => void writes.push(bytes)) };
}

test("ACKs that come together leave together, in order", async () => {
  const { writes, acks } = batch();
  for (let i = 0; i < 5; i++) acks.add(Uint8Array.of(i, i));
  assert.equal(writes.length, 0);
  await until("the write", () => writes.length > 0);
  assert.deepEqual(writes, [Uint8Array.of(0, 0, 1, 1, 2, 2, 3, 3, 4, 4)]);
});

test("a full batch leaves at once, and the next one begins empty", () => {
  const { writes, acks } = batch();
  for (let i = 0; i < 130; i++) acks.add(Uint8Array.of(i));
  assert.deepEqual(writes.map(({ length }) => length), [64, 64]);
  acks.flush();
  assert.deepEqual(writes.at(-1), Uint8Array.of(128, 129));
});

test("what is flushed does not leave a second time, and nothing is not written", async () => {
  const { writes, acks } = batch();
  acks.flush();
  acks.add(Uint8Array.of(1));
  acks.flush();
  acks.flush();
  acks.add(Uint8Array.of(2));
  await until("the second", () => writes.length === 2);
  assert.deepEqual(writes, [Uint8Array.of(1), Uint8Array.of(2)]);
});
