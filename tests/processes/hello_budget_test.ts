// run-in: deno
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildBenchPrograms } from "../../bench/build_programs.ts";
import { measureGate } from "../../bench/gate.ts";
import { checkHelloBudget } from "../../src/broker/perf_guard.ts";

/** What `bench/native/floor.c` computes for, of which its clock may round off a little. */
const WORK_US = 49;

// Whether they keep their budget is not asked here, where other tests share the machine: `deno task bench --gate` does.
test("10,000 Hellos over real sockets reach the guard of their budget, beside as many answers of a C server", async () => {
  const { hello, floor } = await measureGate(await buildBenchPrograms(), "deno");
  const verdict = checkHelloBudget(hello);
  assert.equal(verdict.summary?.samples, 10_000);
  assert.equal(floor.length, 10_000);
  const kind = verdict.ok ? "kept" : verdict.error.kind;
  assert.match(kind, /^(kept|P50Exceeded|P99Exceeded)$/);
  const quickestUs = (samples: ArrayLike<number>) => Math.min(...Array.from(samples));
  assert.ok(quickestUs(hello) > 0);
  assert.ok(quickestUs(floor) >= WORK_US, "the floor computes before it answers");
});
