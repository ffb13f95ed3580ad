import assert from "node:assert/strict";
import test from "node:test";
import { isAbsolutePath, joinPath } from "../../src/naming/join_path.ts";

test("joinPath() puts one separator between the parts and normalises nothing", () => {
  assert.equal(joinPath("linux", "/a", "b", "c"), "/a/b/c");
  assert.equal(joinPath("linux", "/a//", "b"), "/a//b");
  assert.equal(joinPath("linux", "", "b"), "b");
  assert.equal(joinPath("linux", "a\\", "b"), "a\\/b");
  assert.equal(joinPath("windows", "C:\\a", "b"), "C:\\a\\b");
  assert.equal(joinPath("windows", "C:/a/", "b"), "C:/a/b");
});

test("isAbsolutePath() on Unix looks for the root", () => {
  for (const platform of ["linux", "macos"] as const) {
    assert.equal(isAbsolutePath(platform, "/"), true);
    for (const path of ["", "a", "./a", "C:\\a"]) assert.equal(isAbsolutePath(platform, path), false);
  }
});

test("isAbsolutePath() on Windows wants a drive or a share, and a root", () => {
  for (const path of ["C:\\a", "c:/a", "\\\\server\\share\\a", "//server/share", "\\\\?\\C:\\a"]) {
    assert.equal(isAbsolutePath("windows", path), true, path);
  }
  for (const path of ["", "\\a", "/a", "C:a", "C:", "a", "\\\\server"]) {
    assert.equal(isAbsolutePath("windows", path), false, path);
  }
});
