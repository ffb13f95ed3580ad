import assert from "node:assert/strict";
import test from "node:test";
import { exactDependencies, npmManifest } from "../../scripts/npm_manifest.ts";

test("exactDependencies() names each imported package once, at its exact version", () => {
  const specifiers = ["./a.js", "node:fs", "@scope/b/part.js", "@scope/b", "c/deep/part.js", "../d.js"];
  const versions = { "@scope/b": "1.2.3", c: "0.1.0", unused: "9.9.9" };
  assert.deepEqual(exactDependencies(specifiers, versions), { "@scope/b": "1.2.3", c: "0.1.0" });
});

test("exactDependencies() refuses an unknown package and an open version", () => {
  assert.throws(() => exactDependencies(["lost"], {}), /"lost" has version "undefined"/);
  assert.throws(() => exactDependencies(["open"], { open: "^1.0.0" }), /wanted an exact one/);
});

test("npmManifest() publishes one entry, one command and nothing of the project's tools", () => {
  const manifest = npmManifest({
    name: "@scope/name",
    version: "1.0.0",
    license: "MIT",
    dependencies: { a: "1.0.0" },
    optionalDependencies: { koffi: "3.0.0" },
    engines: { node: "20.0.0", bun: "1.0.0", deno: "2.0.0" },
    folders: ["src"],
  });
  assert.deepEqual(manifest["bin"], { "running-process-broker-v1": "cli.js" });
  assert.deepEqual(manifest["files"], ["mod.js", "mod.d.ts", "cli.js", "src"]);
  assert.deepEqual(manifest["engines"], { node: ">=20.0.0", bun: ">=1.0.0", deno: ">=2.0.0" });
  assert.deepEqual(Object.keys(manifest["exports"] as object), [".", "./package.json"]);
  for (const key of ["private", "scripts", "devDependencies", "repository"]) {
    assert.equal(manifest[key], undefined);
  }
});
