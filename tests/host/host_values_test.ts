import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { hostValues } from "../../src/host/host_values.ts";
import { isRuntimeDenial, osErrorText } from "../../src/host/os_error_text.ts";
import { systemAccess } from "../../src/host/system_access.ts";
import { osError } from "./_fake_system.ts";

test("hostValues() are those of this process", () => {
  const values = hostValues();
  const platforms = { darwin: "macos", win32: "windows" } as Record<string, string>;
  assert.equal(values.platform, platforms[process.platform] ?? "linux");
  assert.equal(values.environment["PATH"], process.env["PATH"]);
  if (process.platform !== "win32") assert.equal(values.uid, process.getuid!());
  assert.ok(values.home !== undefined && values.home !== "");
});

test("hostValues().home is the environment's, and the system's when that is empty", () => {
  const before = process.env["HOME"];
  try {
    process.env["HOME"] = "/somewhere/else";
    if (process.platform !== "win32") assert.equal(hostValues().home, "/somewhere/else");
    process.env["HOME"] = "";
    assert.notEqual(hostValues().home, "");
  } finally {
    if (before === undefined) delete process.env["HOME"];
    else process.env["HOME"] = before;
  }
});

test("osErrorText() uses the reference's words and the system's number", () => {
  assert.equal(osErrorText(osError("ENOENT", -2)), "No such file or directory (os error 2)");
  assert.equal(osErrorText(osError("ELOOP", -62)), "Too many levels of symbolic links (os error 62)");
  assert.equal(osErrorText(osError("EODD", -999)), "EODD: as the runtime says it");
  assert.equal(osErrorText("a word"), "a word");
});

test("isRuntimeDenial() is about the runtime, not about the system", () => {
  assert.equal(isRuntimeDenial(Object.assign(new Error("a"), { name: "NotCapable" })), true);
  assert.equal(isRuntimeDenial(osError("EACCES", -13)), false);
  assert.equal(isRuntimeDenial(undefined), false);
});

test("systemAccess.run() gives a tool's output and rejects its failure", async () => {
  if (process.platform === "win32") {
    return await assert.rejects(systemAccess.run("C:\\Windows\\System32\\no-such-tool.exe", []));
  }
  assert.equal(await systemAccess.run("/bin/sh", ["-c", 'echo "$LC_ALL"']), "C\n");
  await assert.rejects(systemAccess.run("/bin/sh", ["-c", "exit 3"]));
});
