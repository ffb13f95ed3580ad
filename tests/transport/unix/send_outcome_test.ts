import assert from "node:assert/strict";
import { test } from "node:test";
import { describeSend } from "../../../src/transport/unix/send_outcome.ts";

test("a frame that left whole is a success, whatever its length", () => {
  for (const length of [0, 1, 500]) {
    assert.deepEqual(describeSend({ kind: "sent", bytesSent: length }, length), { ok: true });
  }
});

test("a part of a frame is a failure that tells how much left", () => {
  const detail = "the socket took 499 of 500 bytes";
  assert.deepEqual(describeSend({ kind: "sent", bytesSent: 499 }, 500), { ok: false, detail });
});

test("a full buffer and an error are failures in their own words", () => {
  assert.deepEqual(describeSend({ kind: "again" }, 5), { ok: false, detail: "the socket's buffer is full" });
  const error = { kind: "error", errno: 32, name: "EPIPE" } as const;
  assert.deepEqual(describeSend(error, 5), { ok: false, detail: "send returned EPIPE" });
});
