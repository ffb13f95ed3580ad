import assert from "node:assert/strict";
import { test } from "node:test";
import { AckBatch } from "../../src/backend/ack_batch.ts";
import { encodeHandoffAck } from "../../src/wire/handoff_frames.ts";
import { until } from "../support/waiting.ts";

function batch() {
  const writes: Uint8Array[] = [];
  return { writes, acks: new AckBatch((bytes) => void writes.push(bytes)) };
}

function ack(id: number) {
  return { token: new Uint8Array(16).fill(id), correlationId: BigInt(id), accepted: true };
}

/** The frames of some ACKs, one behind the other. */
function frames(...ids: number[]): number[] {
  return ids.flatMap((id) => [...encodeHandoffAck(ack(id))]);
}

test("ACKs that come together leave together, in order", async () => {
  const { writes, acks } = batch();
  for (let i = 1; i < 6; i++) acks.add(ack(i));
  assert.equal(writes.length, 0);
  await until("the write", () => writes.length > 0);
  assert.deepEqual(writes.map((bytes) => [...bytes]), [frames(1, 2, 3, 4, 5)]);
});

test("a full batch leaves at once, and the next one begins empty", () => {
  const { writes, acks } = batch();
  const ids = Array.from({ length: 130 }, (_, index) => index + 1);
  for (const id of ids) acks.add(ack(id));
  assert.deepEqual(writes.map((bytes) => [...bytes]), [
    frames(...ids.slice(0, 64)),
    frames(...ids.slice(64, 128)),
  ]);
  acks.flush();
  assert.deepEqual([...writes.at(-1)!], frames(129, 130));
});

test("what is flushed does not leave a second time, and nothing is not written", async () => {
  const { writes, acks } = batch();
  acks.flush();
  acks.add(ack(1));
  acks.flush();
  acks.flush();
  acks.add(ack(2));
  await until("the second", () => writes.length === 2);
  assert.deepEqual(writes.map((bytes) => [...bytes]), [frames(1), frames(2)]);
});
