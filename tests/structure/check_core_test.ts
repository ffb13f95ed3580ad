// run-in: deno
import assert from "node:assert/strict";
import test from "node:test";
import { checkCore } from "../../scripts/check_core.ts";
import { ChildRunner } from "../../scripts/child_runner.ts";
import { makeTree } from "./_tree.ts";

const PURE = "// This module has no I/O.";

async function check(files: Record<string, string[]>) {
  await using tree = await makeTree({ "deno.json": '{ "compilerOptions": { "strict": true } }', ...files });
  return await checkCore(tree.path, new ChildRunner());
}

test("checkCore() accepts what any JavaScript engine can run", async () => {
  const result = await check({
    "src/wire/good.ts": [PURE, "export const a: Uint8Array = new TextEncoder().encode('a');"],
    "src/transport/other.ts": ["export const b: string = Deno.cwd();", "export const c: number = 'no';"],
  });
  assert.deepEqual([result.files, result.isGood], [1, true], result.output);
});

for (
  const expression of ["Deno.pid", "Bun.version", "process.pid", "Buffer.alloc(1)", "setImmediate(() => {})"]
) {
  test(`checkCore() rejects ${expression} in a file without I/O`, async () => {
    const result = await check({ "src/wire/bad.ts": [PURE, `export const a: unknown = ${expression};`] });
    assert.equal(result.isGood, false);
    assert.match(result.output, /src\/wire\/bad\.ts/);
  });
}

test("checkCore() rejects a runtime's types that come in through another file", async () => {
  const result = await check({
    "src/handoff/bad.ts": [PURE, 'import type { A } from "../transport/io.ts";', "export type B = A;"],
    "src/transport/io.ts": ["export type A = Deno.UnixConn;"],
  });
  assert.equal(result.isGood, false);
});

test("checkCore() does not pass because it found nothing to check", async () => {
  assert.equal((await check({ "src/other.ts": ["export const a = 1;"] })).isGood, false);
});
