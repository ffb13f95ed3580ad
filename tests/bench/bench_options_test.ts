import assert from "node:assert/strict";
import { test } from "node:test";
import { readBenchOptions } from "../../bench/bench_options.ts";
import { caseNames, groups, measurersOf } from "../../bench/cases.ts";

test("readBenchOptions() measures everything, 10,000 samples each, unless told otherwise", () => {
  assert.deepEqual(readBenchOptions([]), {
    runtimes: ["deno", "bun", "node20", "node24"],
    cases: caseNames,
    cores: [1, 2],
    samples: 10_000,
    isJson: false,
    isReported: false,
    isGate: false,
  });
});

test("readBenchOptions() reads every option", () => {
  const line = "--json --report --gate --runtimes bun,node26 --cases hello,handoff --cores 2 --samples 500";
  assert.deepEqual(readBenchOptions(line.split(" ")), {
    runtimes: ["bun", "node26"],
    cases: ["hello", "handoff"],
    cores: [2],
    samples: 500,
    isJson: true,
    isReported: true,
    isGate: true,
  });
});

test("readBenchOptions() refuses what it does not know, by name", () => {
  const lines = [
    "--fast",
    "--runtimes",
    "--runtimes node",
    "--cases hallo",
    "--cores 3",
    "--samples 0",
    "--samples 1e-3",
  ];
  for (const line of lines) {
    assert.throws(() => readBenchOptions(line.split(" ")), { name: "TypeError", message: /^Not / }, line);
  }
});

test("every case of a group is measured by somebody", () => {
  for (const name of groups.flatMap(({ cases }) => cases)) assert.ok(measurersOf[name]?.length, name);
});
