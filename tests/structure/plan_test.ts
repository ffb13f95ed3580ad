import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { readTestOptions } from "../../scripts/testing/options.ts";
import { planJobs, shuffle } from "../../scripts/testing/plan.ts";
import { makeTree } from "./_tree.ts";

const everything = { runtimes: ["deno", "bun"], filter: "", seed: undefined, scale: 1 } as const;

test("planJobs() runs unit tests in each runtime and those of processes last, one by one", async () => {
  await using tree = await makeTree({
    "tests/interop/peer_test.ts": "// run-in: deno\n",
    "tests/interop/peer/target/debug/old_test.ts": "",
    "tests/wire/frame_test.ts": "// deadline-s: 5\n",
    "tests/wire/helper.ts": "",
  });
  const jobs = planJobs(tree.path, { ...everything, scale: 10 });
  const lines = jobs.map((job) => `${job.suite} ${job.path} ${job.runtime} ${job.deadlineMs} ${job.isAlone}`);
  assert.deepEqual(lines, [
    "wire tests/wire/frame_test.ts deno 50000 false",
    "wire tests/wire/frame_test.ts bun 50000 false",
    "interop tests/interop/peer_test.ts deno 2400000 true",
  ]);
});

test("planJobs() filters by path", async () => {
  await using tree = await makeTree({ "tests/a/x_test.ts": "", "tests/b/y_test.ts": "" });
  const jobs = planJobs(tree.path, { ...everything, filter: "b/y" });
  assert.deepEqual(jobs.map(({ path }) => path), ["tests/b/y_test.ts", "tests/b/y_test.ts"]);
});

test("shuffle() keeps every item, and a seed means one order", () => {
  fc.assert(fc.property(fc.array(fc.nat()), fc.integer(), (items, seed) => {
    const shuffled = shuffle(items, seed);
    assert.deepEqual(shuffle(items, seed), shuffled);
    assert.deepEqual(shuffled.toSorted((a, b) => a - b), items.toSorted((a, b) => a - b));
  }));
  const items = Array.from({ length: 20 }, (_, at) => at);
  assert.notDeepEqual(shuffle(items, 1), items);
  assert.notDeepEqual(shuffle(items, 1), shuffle(items, 2));
});

test("readTestOptions() reads each option in both forms", () => {
  const options = readTestOptions(["--runtime=node26,bun", "--filter", "wire/", "--shuffle", "7"]);
  assert.deepEqual(options, { runtimes: ["node26", "bun"], filter: "wire/", seed: 7 });
  assert.deepEqual(readTestOptions([]).runtimes, ["deno", "bun", "node20", "node24"]);
});

test("readTestOptions() rejects what it does not know", () => {
  for (
    const args of [["--runtime", "jsc"], ["--filter"], ["--shuffle", "x"], ["--shuffle="], ["--watch", "on"]]
  ) {
    assert.throws(() => readTestOptions(args), args.join(" "));
  }
});
