import assert from "node:assert/strict";
import test from "node:test";
import { ErrorCode } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { helloFrame, helloHandler, request } from "./_hello.ts";

test("a process is refused beyond its budget, with the rest of its window as the hint", async () => {
  const handler = helloHandler({ limits: { hellosMax: 2, windowMs: 1000 } });
  const at = (nowMs: number) => handler.answer(request(helloFrame(), 77, nowMs));
  assert.equal((await at(0)).kind, "negotiated");
  assert.equal((await at(100)).kind, "negotiated");
  const over = await at(400);
  assert.ok(over.kind === "refused");
  assert.deepEqual([over.refusal.code, over.refusal.retryAfterMs], [ErrorCode.ERROR_RATE_LIMITED, 600n]);
  const last = await at(999.5);
  assert.equal(last.kind === "refused" && last.refusal.retryAfterMs, 1n);
  assert.equal((await at(1000)).kind, "negotiated");
});
