import assert from "node:assert/strict";
import test from "node:test";
import { checkStructure } from "../../scripts/check_structure.ts";
import { makeTree } from "./_tree.ts";

type Files = Record<string, string | readonly string[]>;

const PURE = "// This module has no I/O.";
const imports = (specifier: string) => `import { a } from "${specifier}";`;
const lines = (count: number) => Array.from({ length: count }, (_, at) => `// line ${at}`);
// Put together: these words must not stand in this file either.
const LEFTOVER = "TO" + "DO";

const GOOD_TREE: Files = {
  "mod.ts": ['export { a } from "./src/client/connect.ts";', 'export type { B } from "./src/wire/frame.ts";'],
  "cli.ts": [imports("./src/broker/serve.ts"), "console.log(a);"],
  "README.md": lines(150),
  "deno.lock": '{ "version": "5", "npm": {} }\n',
  "tests/interop/peer/Cargo.lock": 'source = "registry+https://github.com/rust-lang/crates.io-index"\n',
  "src/errors.ts": [PURE, "export const a = 1;"],
  "src/wire/frame.ts": [
    PURE,
    imports("../errors.ts"),
    'import { create } from "@bufbuild/protobuf";',
    "create(a);",
  ],
  "src/wire/gen/frame_pb.ts": ["export const a = 1;", ...lines(900)],
  "src/naming/path.ts": [PURE, imports("../wire/frame.ts"), imports("../wire/gen/frame_pb.ts")],
  "src/host/boot.ts": ['import { readFile } from "node:fs/promises";', imports("../naming/path.ts")],
  "src/service/definition.ts": imports("../host/boot.ts"),
  "src/handoff/state.ts": [PURE, imports("../wire/frame.ts")],
  "src/transport/listen.ts": [imports("../../ffi/libc.ts"), "Deno.pid; Bun.version;"],
  "src/client/connect.ts": [
    imports("../transport/listen.ts"),
    "// Deno is named in a comment",
    'const b = "Deno.pid";',
  ],
  "src/broker/serve.ts": [
    imports("../handoff/machine.ts"),
    imports("../service/definition.ts"),
    "process.pid;",
  ],
  "src/handoff/machine.ts": imports("./state.ts"),
  "src/doctor/report.ts": [imports("../../ffi/libc.ts"), 'const later = () => import("./other.ts");'],
  "src/doctor/other.ts": imports("./report.ts"),
  "ffi/libc.ts": [imports("../src/errors.ts"), "Deno.dlopen;"],
  "tests/wire/frame_test.ts": [
    imports("../../src/wire/frame.ts"),
    imports("../../ffi/libc.ts"),
    'test("a", { skip: isRoot ? false : "needs root" }, () => reader.skip(1));',
  ],
  "scripts/build.ts": [imports("../tests/wire/frame_test.ts"), "Deno.exit(0);"],
};

/** Checks the good tree with some files replaced or added. */
async function rulesBroken(changed: Files): Promise<string[]> {
  await using tree = await makeTree({ ...GOOD_TREE, ...changed });
  return checkStructure(tree.path).map(({ rule, path, line }) => `${rule} ${path}:${line}`);
}

test("checkStructure() accepts a good tree", async () => {
  assert.deepEqual(await rulesBroken({}), []);
});

const cases: readonly [string, Files, string[]][] = [
  ["an import against the order of the rooms", {
    "src/wire/bad.ts": [PURE, imports("../naming/path.ts")],
    "src/handoff/bad.ts": [PURE, imports("../transport/pure.ts")],
    "src/transport/pure.ts": [PURE],
    "src/client/bad.ts": ["", imports("../broker/serve.ts")],
    "src/errors.ts": imports("./wire/gen/frame_pb.ts"),
  }, [
    "import-direction src/client/bad.ts:2",
    "import-direction src/errors.ts:1",
    "import-direction src/handoff/bad.ts:2",
    "import-direction src/wire/bad.ts:2",
    "pure-import src/wire/frame.ts:2",
  ]],
  ["ffi imported by any room but transport and doctor", {
    "src/broker/bad.ts": imports("../../ffi/libc.ts"),
    "mod.ts": 'export { a } from "./ffi/libc.ts";',
  }, ["import-direction mod.ts:1", "import-direction src/broker/bad.ts:1"]],
  ["the project's tools imported by its product", {
    "src/broker/bad.ts": imports("../../scripts/build.ts"),
    "src/client/bad.ts": 'const a = await import("../../tests/wire/frame_test.ts");',
  }, ["import-direction src/broker/bad.ts:1", "import-direction src/client/bad.ts:1"]],
  ["a room nobody planned", { "src/misc/bad.ts": imports("../errors.ts") }, [
    "import-direction src/misc/bad.ts:1",
  ]],
  ["an import of nothing", { "src/client/bad.ts": imports("./lost.ts") }, [
    "import-missing src/client/bad.ts:1",
  ]],
  ["imports in a circle", {
    "src/client/a.ts": imports("./b.ts"),
    "src/client/b.ts": ['import type { C } from "./c.ts";'],
    "src/client/c.ts": ['export { a } from "./a.ts";', "export const c = 1;"],
  }, ["import-cycle src/client/a.ts:1"]],
  ["a file that only collects exports", {
    "src/client/all.ts": ["", 'export { a } from "./connect.ts";'],
    "src/broker/all.ts": [imports("./serve.ts"), 'export * from "./serve.ts";', "export const b = a;"],
  }, ["barrel src/broker/all.ts:2", "barrel src/client/all.ts:2"]],
  ["an entry that does more than export", {
    "mod.ts": [...(GOOD_TREE["mod.ts"] as string[]), "export const b = 1;"],
  }, ["barrel mod.ts:1"]],
  ["a pure room's file without its promise", { "src/wire/bad.ts": "export const a = 1;" }, [
    "pure-marker src/wire/bad.ts:1",
  ]],
  ["a promise of no I/O that is not kept", {
    "src/handoff/bad.ts": [
      PURE,
      'import { readFileSync } from "node:fs";',
      imports("./worse.ts"),
      "Date.now();",
    ],
    "src/handoff/worse.ts": "export const a = setTimeout(() => {}, 1);",
    "src/wire/bad.ts": [
      PURE,
      "// Date.now() in a comment",
      'const b = "Math.random()";',
      "const c = Math.random();",
    ],
  }, [
    "pure-import src/handoff/bad.ts:2",
    "pure-import src/handoff/bad.ts:3",
    "pure-name src/handoff/bad.ts:4",
    "pure-name src/wire/bad.ts:4",
  ]],
  ["a runtime named outside its rooms", {
    "src/broker/bad.ts": ["", "const a = Deno.pid;", "globalThis.Bun?.version;"],
  }, ["runtime-global src/broker/bad.ts:2", "runtime-global src/broker/bad.ts:3"]],
  ["a file, or a README, that is too long", {
    "src/broker/bad.ts": lines(301),
    "tests/wire/bad_test.ts": lines(301),
    "src/broker/long.ts": lines(300),
    "README.md": lines(151),
  }, [
    "readme-length README.md:151",
    "file-length src/broker/bad.ts:301",
    "file-length tests/wire/bad_test.ts:301",
  ]],
  ["a test that keeps others from running", {
    "tests/wire/bad_test.ts": ["test." + 'only("a", () => {});', 'it("b", { on' + "ly: true }, () => {});"],
  }, ["test-only tests/wire/bad_test.ts:1", "test-only tests/wire/bad_test.ts:2"]],
  ["a test skipped without a reason", {
    "tests/wire/bad_test.ts": [
      "test." + 'skip("a", () => {});',
      'test("b", { sk' + "ip: true }, () => {});",
      'test("c", (t) => t.' + "skip());",
      "describe." + 'todo("d");',
    ],
  }, [1, 2, 3, 4].map((line) => `test-skip tests/wire/bad_test.ts:${line}`)],
  ["a host in a lock file", {
    "deno.lock": '{\n "tarball": "https://registry.example/a.tgz" }\n',
    "tests/interop/peer/Cargo.lock": 'source = "registry+http://mirror.example/index"\n',
  }, ["lock-host deno.lock:2", "lock-host tests/interop/peer/Cargo.lock:1"]],
  ["a leftover word, also outside of code", {
    "src/broker/bad.ts": ["const a = 1;", `// ${LEFTOVER}: later`],
    "tests/interop/peer/src/main.rs": `// ${"FIX" + "ME"}\n`,
    ".ci/run": `# ${LEFTOVER}\n`,
  }, [
    "leftover-word .ci/run:1",
    "leftover-word src/broker/bad.ts:2",
    "leftover-word tests/interop/peer/src/main.rs:1",
  ]],
];

for (const [what, files, expected] of cases) {
  test(`checkStructure() reports ${what}`, async () => {
    assert.deepEqual(await rulesBroken(files), expected);
  });
}

test("checkStructure() looks into no folder that others fill", async () => {
  const bad = `// ${LEFTOVER}\n`;
  const folders = [
    "node_modules",
    ".build",
    ".toolchain",
    "npm",
    "tests/golden",
    "tests/interop/peer/target",
  ];
  const files = Object.fromEntries(folders.map((folder) => [`${folder}/bad.ts`, bad]));
  assert.deepEqual(await rulesBroken(files), []);
});
