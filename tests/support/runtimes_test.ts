import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { allRuntimes, currentRuntime, runtimeCommand } from "./runtimes.ts";
import { startProcess } from "./spawn.ts";

for (const runtime of allRuntimes) {
  test(`runtimeCommand() runs a module in ${runtime} and keeps its exit code`, async () => {
    const command = runtimeCommand(runtime, "tests/support/_print_runtime.ts", ["--flag", "a b"]);
    await using child = startProcess(command);
    const line = await child.waitForLine(() => true, { deadlineMs: 30_000 });
    assert.deepEqual(JSON.parse(line), { runtime, args: ["--flag", "a b"], pid: child.pid });
    child.writeLine("hello");
    assert.equal(await child.waitForLine(() => true, { deadlineMs: 10_000, fromLine: 1 }), "read hello");
    child.closeStdin();
    assert.equal((await child.waitForExit({ deadlineMs: 10_000 })).code, 7);
    assert.deepEqual(child.stderrTail, []);
  });
}

test("runtimeCommand() rejects what is not a module of the project", () => {
  assert.throws(() => runtimeCommand("deno", "tests/support/no_such_file.ts"), TypeError);
  assert.throws(() => runtimeCommand("deno", "deno.json"), TypeError);
});

test("currentRuntime names the runtime of this process", () => {
  const key = currentRuntime.replace(/\d+$/, "");
  assert.ok(process.versions[key] !== undefined, currentRuntime);
});
