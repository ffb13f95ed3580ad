import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandomPool } from "../../src/broker/random_pool.ts";

test("as many bytes as were asked for come, also across the pool's end", () => {
  const draw = createRandomPool();
  for (let i = 0; i < 1_000; i++) assert.equal(draw(i % 61).length, i % 61);
  assert.equal(draw(4_096).length, 4_096);
});

test("no bytes are given out twice, and what was given out is the caller's", () => {
  const draw = createRandomPool();
  const seen = new Set<string>();
  const first = draw(16);
  const copy = first.slice();
  for (let i = 0; i < 2_000; i++) seen.add(draw(16).join());
  assert.equal(seen.size, 2_000);
  assert.ok(!seen.has(first.join()));
  assert.deepEqual(first, copy);
  assert.ok(!seen.has(new Uint8Array(16).join()), "never the zeros that are left behind");
});

test("two pools give out different bytes", () => {
  assert.notDeepEqual(createRandomPool()(32), createRandomPool()(32));
});
