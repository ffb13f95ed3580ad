import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { libcPaths, namesMuslLoader, runsOnMusl } from "../../ffi/libc_paths.ts";

describe("libcPaths()", () => {
  test("are absolute, as permissions are granted by path", () => {
    const all = [
      ...libcPaths("linux", "x64", false),
      ...libcPaths("linux", "arm64", false),
      ...libcPaths("linux", "arm64", true),
      ...libcPaths("darwin", "arm64", false),
    ];
    assert.ok(all.length > 10);
    for (const path of all) assert.match(path, /^\/[\w/.-]+$/);
  });

  test("never mix the C libraries of two worlds in one process", () => {
    assert.ok(libcPaths("linux", "x64", false).every((path) => path.endsWith("/libc.so.6")));
    assert.deepEqual(libcPaths("linux", "x64", true), ["/lib/ld-musl-x86_64.so.1"]);
    assert.deepEqual(libcPaths("darwin", "x64", false), ["/usr/lib/libSystem.B.dylib"]);
  });

  test("are of the processor's architecture", () => {
    assert.equal(libcPaths("linux", "x64", false)[0], "/lib/x86_64-linux-gnu/libc.so.6");
    assert.equal(libcPaths("linux", "arm64", false)[0], "/lib/aarch64-linux-gnu/libc.so.6");
    assert.deepEqual(libcPaths("linux", "s390x", false), []);
  });
});

describe("runsOnMusl()", () => {
  test("goes by the loader that an executable names", () => {
    const head = (loader: string) => new TextEncoder().encode(`\x7fELF\x02\x01\x01${loader}\0`);
    assert.equal(namesMuslLoader(head("/lib/ld-musl-x86_64.so.1")), true);
    assert.equal(namesMuslLoader(head("/lib64/ld-linux-x86-64.so.2")), false);
  });

  test("looks at the head of the file only, and takes an unreadable one for glibc", () => {
    const folder = mkdtempSync(join(tmpdir(), "musl-"));
    try {
      const file = join(folder, "program");
      writeFileSync(file, `\x7fELF ${"/lib/ld-musl-x86_64.so.1"}`);
      assert.equal(runsOnMusl(file), true);
      writeFileSync(file, `${"x".repeat(5000)}/lib/ld-musl-x86_64.so.1`);
      assert.equal(runsOnMusl(file), false);
      assert.equal(runsOnMusl(join(folder, "missing")), false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
