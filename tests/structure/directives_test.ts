import assert from "node:assert/strict";
import test from "node:test";
import { readDirectives } from "../../scripts/testing/directives.ts";

const none = { runIn: undefined, deadlineMs: undefined, isAlone: false };

test("readDirectives() reads the comments above the first import", () => {
  const source =
    "// What this is about.\n// run-in: deno, node24\n// deadline-s: 90\n// run-alone: timing\nimport a;";
  assert.deepEqual(readDirectives("sim", source), {
    runIn: ["deno", "node24"],
    deadlineMs: 90_000,
    isAlone: true,
  });
});

test("readDirectives() reads none from code", () => {
  assert.deepEqual(readDirectives("wire", 'import a;\n// run-in: deno\nconst b = "// run-alone: c";'), none);
  assert.deepEqual(readDirectives("wire", ""), none);
});

test("readDirectives() lets no unit test leave a runtime out", () => {
  assert.throws(() => readDirectives("wire", "// run-in: deno\n"), /runs in every runtime/);
});

test("readDirectives() rejects an unknown runtime and a senseless deadline", () => {
  assert.throws(() => readDirectives("sim", "// run-in: deno, node18\n"), /Not a runtime: "node18"/);
  assert.throws(() => readDirectives("sim", "// deadline-s: soon\n"), /Not a number of seconds: "soon"/);
});
