import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadLibc } from "../../ffi/load_libc.ts";
import { loadNative } from "../../ffi/native.ts";
import { fdTest, native } from "./native_fixture.ts";

const runtime = process.versions["deno"] !== undefined ? "deno" : process.versions["bun"] ?? "node";
const program = fileURLToPath(new URL("./print_native.ts", import.meta.url));

function printNative(flags: readonly string[]): { ok: boolean; binding?: string; reason?: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, program], { encoding: "utf8" });
  assert.equal(stderr, "");
  assert.equal(status, 0);
  return JSON.parse(stdout);
}

describe("loadNative()", () => {
  test("loads once, with working calls", async () => {
    const results = await Promise.all([loadNative(), loadNative()]);
    assert.ok(results[0].ok);
    assert.equal(results[0], results[1]);
    assert.equal(await loadNative(), results[0]);
    assert.equal(await loadLibc(), await loadLibc());
    assert.equal(results[0].native.binding, native.binding);
  });

  fdTest("offers the user ids of this process", () => {
    assert.equal(native.userId(), process.getuid?.());
    assert.equal(native.effectiveUserId(), process.geteuid?.());
  });

  if (runtime === "deno") {
    // With some permission: to a child that has none, Deno's node:child_process gives all.
    const base = ["run", "--allow-env", "--no-prompt", "--no-config", "--no-lock"];

    test("without permission names the flag that is missing, and with exactly that flag works", async () => {
      const libc = await loadLibc();
      assert.ok(libc.ok);
      const { ok, reason } = printNative(base);
      assert.equal(ok, false);
      assert.match(reason ?? "", /^Deno may not call the C library: run with --allow-ffi=\/\S+/);
      assert.ok(reason?.includes(libc.path), `"${libc.path}" is not in "${reason}"`);
      assert.deepEqual(printNative([...base, `--allow-ffi=${libc.path}`]), { ok: true, binding: "deno" });
    });

    test("permission for another library is none, permission for all is enough", () => {
      const elsewhere = printNative([...base, `--allow-ffi=${dirname(program)}/libother.so`]);
      assert.match(elsewhere.reason ?? "", /run with --allow-ffi=/);
      assert.deepEqual(printNative([...base, "--allow-ffi"]), { ok: true, binding: "deno" });
    });
  } else {
    test("works in a process of its own and prints nothing on stderr", () => {
      const { ok, binding } = printNative([]);
      assert.equal(ok, true);
      assert.equal(binding, native.binding);
    });
  }

  if (runtime === "node") {
    test("prefers what the runtime brings along", () => {
      const hasNodeFfi = process.getBuiltinModule("node:ffi") !== undefined;
      assert.equal(native.binding, hasNodeFfi ? "node:ffi" : "koffi");
    });
  }
});
