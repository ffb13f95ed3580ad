// run-in: deno
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import test, { after } from "node:test";
import { stop } from "esbuild";
import { buildForNode } from "../../scripts/build_node.ts";
import { ensureRuntime } from "../../scripts/toolchain.ts";
import { startProcess } from "../support/spawn.ts";
import { makeTree } from "./_tree.ts";

after(() => stop());

const FILES = {
  "package.json": '{ "type": "module" }',
  "mod.ts": 'export { word } from "./src/a/word.ts";\n',
  "src/a/word.ts": 'export const word: string = "word";\n',
  "src/a/golden/data.ts": "this is no code\n",
  "tests/main.ts": [
    'import process from "node:process";',
    'import { word } from "@running-process/broker";',
    'import type { Stats } from "node:fs";',
    'const { word: again } = await import("../src/a/word.ts");',
    'const url = new URL("../src/a/word.ts", import.meta.url);',
    "class Resource { async [Symbol.asyncDispose]() { await null; console.log('closed'); } }",
    "{ await using resource = new Resource(); console.log(typeof resource); }",
    "const stats: Stats | undefined = undefined;",
    "console.log(word, again, (await import(url.href)).word, process.argv.length, stats);",
  ],
};

test("buildForNode() makes code that Node 20 runs: imports, module addresses, resources", async () => {
  await using tree = await makeTree(FILES);
  assert.deepEqual((await buildForNode({ root: tree.path })).built, [
    "mod.ts",
    "src/a/word.ts",
    "tests/main.ts",
  ]);
  await using child = startProcess({
    command: ensureRuntime("node20"),
    args: [tree.join(".build/node/tests/main.js")],
  });
  const exit = await child.waitForExit({ deadlineMs: 20_000 });
  await child.waitForLine((line) => line === "word word word 2 undefined", { deadlineMs: 5_000 });
  assert.deepEqual([exit.code, ...child.stdoutLines.slice(0, 2)], [0, "object", "closed"]);
});

test("buildForNode() compiles only what changed", async () => {
  await using tree = await makeTree(FILES);
  await buildForNode({ root: tree.path });
  assert.deepEqual(await buildForNode({ root: tree.path }), { built: [], removed: [], unchanged: 3 });
  writeFileSync(tree.join("src/a/word.ts"), 'export const word = "changed";\n');
  assert.deepEqual((await buildForNode({ root: tree.path })).built, ["src/a/word.ts"]);
  assert.match(readFileSync(tree.join(".build/node/src/a/word.js"), "utf8"), /changed/);
});

test("buildForNode() makes up for outputs that are gone, and removes those of removed sources", async () => {
  await using tree = await makeTree(FILES);
  await buildForNode({ root: tree.path });
  rmSync(tree.join(".build/node/mod.js"));
  rmSync(tree.join("tests/main.ts"));
  const { built, removed } = await buildForNode({ root: tree.path });
  assert.deepEqual([built, removed], [["mod.ts"], ["tests/main.ts"]]);
  assert.throws(() => readFileSync(tree.join(".build/node/tests/main.js")), /ENOENT/);
});
