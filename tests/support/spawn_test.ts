import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { startProcess } from "./spawn.ts";

const shell = (script: string) => ({ command: "/bin/sh", args: ["-c", script] });
const deadlineMs = 10_000;

test("waitForLine() finds lines before and after it was asked", async () => {
  await using child = startProcess(shell("echo one; echo two; read word; echo got $word"));
  assert.equal(await child.waitForLine((line) => line === "two", { deadlineMs }), "two");
  assert.equal(await child.waitForLine((line) => line === "one", { deadlineMs }), "one");
  const later = child.waitForLine((line) => line.startsWith("got"), { deadlineMs, fromLine: 2 });
  child.writeLine("three");
  assert.equal(await later, "got three");
  assert.deepEqual(child.stdoutLines, ["one", "two", "got three"]);
});

test("waitForLine() rejects at its deadline with the output so far", async () => {
  await using child = startProcess(shell("echo seen; echo trouble >&2; echo ready; exec cat"));
  await child.waitForLine((line) => line === "ready", { deadlineMs });
  await assert.rejects(
    child.waitForLine(() => false, { deadlineMs: 50 }),
    /running\) did not reach a line within 50 ms\nstdout:\n {2}seen\n {2}ready\nstderr:/,
  );
});

test("waitForLine() rejects when the process ended without the line", async () => {
  await using child = startProcess(shell("echo last words >&2; exit 3"));
  await assert.rejects(
    child.waitForLine(() => false, { deadlineMs }),
    /ended with 3\) ended without the line waited for\nstdout:\n {2}\(nothing\)\nstderr:\n {2}last words/,
  );
});

test("waitForLine() rejects with the reason of its signal", async () => {
  await using child = startProcess(shell("exec cat"));
  const controller = new AbortController();
  const waiting = child.waitForLine(() => true, { deadlineMs, signal: controller.signal });
  controller.abort(new Error("no longer wanted"));
  await assert.rejects(waiting, /no longer wanted/);
});

test("exit tells the code and the signal", async () => {
  await using ending = startProcess(shell("exit 5"));
  assert.deepEqual(await ending.waitForExit({ deadlineMs }), { code: 5, signal: null, error: undefined });
  await using killed = startProcess(shell("exec cat"));
  killed.killGroup("SIGTERM");
  assert.deepEqual(await killed.exit, { code: null, signal: "SIGTERM", error: undefined });
  await using waiting = startProcess(shell("exec cat"));
  await assert.rejects(waiting.waitForExit({ deadlineMs: 20 }), /did not reach its end within 20 ms/);
  waiting.closeStdin();
  assert.equal((await waiting.waitForExit({ deadlineMs })).code, 0);
});

test("startProcess() reports a missing program through exit and waitForLine()", async () => {
  await using child = startProcess({ command: "/nowhere/program", args: [] });
  assert.match(String((await child.exit).error), /ENOENT/);
  await assert.rejects(child.waitForLine(() => true, { deadlineMs }), /ENOENT/);
  assert.equal(child.pid, 0);
});

test(
  "disposing a process kills its whole group",
  { skip: process.platform !== "linux" && "reads /proc" },
  async () => {
    let grandchild = "";
    {
      await using child = startProcess(shell("sleep 600 & echo $!; wait"));
      grandchild = await child.waitForLine(() => true, { deadlineMs });
      assert.ok(existsSync(`/proc/${grandchild}`));
    }
    for (let round = 0; round < 500 && isRunning(grandchild); round += 1) await nextTurn();
    assert.equal(isRunning(grandchild), false);
  },
);

test("startProcess() adds to the environment, or replaces it", async () => {
  const print = { ...shell('echo "$WORD-$PATH"'), env: { WORD: "added" } };
  await using inherited = startProcess(print);
  assert.equal(await inherited.waitForLine(() => true, { deadlineMs }), `added-${process.env["PATH"]}`);
  await using clean = startProcess({ ...print, env: { WORD: "only", PATH: "/usr/bin" } }, {
    isEnvClean: true,
  });
  assert.equal(await clean.waitForLine(() => true, { deadlineMs }), "only-/usr/bin");
});

/** A killed grandchild may stay as a zombie until its new parent looks; that one runs no more. */
function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    // ENOENT or ESRCH: gone.
    return false;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
