import assert from "node:assert/strict";
import { realpathSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { BrokerError } from "../../src/errors.ts";
import {
  executablePathOf,
  isProcessAlive,
  isProcessAliveSync,
  processIdentity,
} from "../../src/host/process_identity.ts";
import { startMarkInPs, startMarkOf } from "../../src/host/process_start.ts";
import { startProcess } from "../support/spawn.ts";
import { fakeSystem, osError } from "./_fake_system.ts";

const isUnix = process.platform !== "win32";
const isUnsupported = (error: unknown) => BrokerError.is(error) && error.code === "unsupported";

/** A line of `/proc/<pid>/stat` whose fields behind the command are numbered from 3. */
function statLine(command: string, state: string): string {
  const rest = Array.from({ length: 49 }, (_, index) => String(index + 4));
  return `42 (${command}) ${state} ${rest.join(" ")}\n`;
}

test("startMarkOf() takes field 22, whatever the command is called", () => {
  for (const command of ["sleep", "a b", ") S 1 2", "((", "))", "", "a) R 7 ("]) {
    assert.equal(startMarkOf(statLine(command, "S")), "22", command);
  }
});

test("startMarkOf() takes a process that has ended for none", () => {
  for (const state of ["Z", "X", "x"]) assert.equal(startMarkOf(statLine("sleep", state)), undefined);
  assert.equal(startMarkOf(""), undefined);
  assert.equal(startMarkOf("42 (sleep) S 1 2"), undefined);
  assert.equal(startMarkOf("no such line"), undefined);
});

test("startMarkInPs() takes the start time behind the state", () => {
  assert.equal(startMarkInPs("Ss+  Sat Nov 21  09:00:00 2026\n"), "Sat Nov 21 09:00:00 2026");
  assert.equal(startMarkInPs("Z    Sat Nov 21 09:00:00 2026"), undefined);
  assert.equal(startMarkInPs(""), undefined);
});

test("processIdentity() tells this process from others with its number", async () => {
  if (!isUnix) return await assert.rejects(processIdentity(process.pid), isUnsupported);
  const identity = await processIdentity(process.pid);
  assert.ok(identity !== undefined && identity.pid === process.pid);
  assert.deepEqual(await processIdentity(process.pid), identity);
  assert.equal(await isProcessAlive(identity), true);
  assert.equal(isProcessAliveSync(identity), true);
  const former = { pid: process.pid, startMark: "1" };
  assert.equal(await isProcessAlive(former), false);
  if (process.platform === "linux") assert.equal(isProcessAliveSync(former), false);
});

test("processIdentity() follows a child to its end", async () => {
  if (!isUnix) {
    return assert.throws(() => isProcessAliveSync({ pid: process.pid, startMark: "1" }), isUnsupported);
  }
  await using child = startProcess({ command: "/bin/sh", args: ["-c", "echo up; read line"] });
  await child.waitForLine((line) => line === "up", { deadlineMs: 10_000 });
  const identity = await processIdentity(child.pid);
  assert.ok(identity !== undefined);
  assert.equal(isProcessAliveSync(identity), true);
  child.closeStdin();
  await child.waitForExit({ deadlineMs: 10_000 });
  assert.equal(await isProcessAlive(identity), false);
  assert.equal(isProcessAliveSync(identity), false);
  assert.equal(await processIdentity(child.pid), undefined);
});

test("processIdentity() does not take an unreadable process for a dead one", async () => {
  const files = { "/proc/42/stat": osError("EACCES", -13) };
  await assert.rejects(processIdentity(42, fakeSystem({ platform: "linux", files })), (error) => {
    assert.ok(BrokerError.is(error) && error.code === "os");
    assert.match((error as Error).message, /Permission denied \(os error 13\)$/);
    return true;
  });
  const ended = { "/proc/42/stat": osError("ESRCH", -3) };
  assert.equal(await processIdentity(42, fakeSystem({ platform: "linux", files: ended })), undefined);
});

test("processIdentity() on macOS asks ps", async () => {
  const question = "ps -p 42 -o state=,lstart=";
  const asked = (answer: string | Error) =>
    processIdentity(42, fakeSystem({ platform: "macos", tools: { [question]: answer } }));
  const running = await asked("S    Sat Nov 21 09:00:00 2026\n");
  assert.deepEqual(running, { pid: 42, startMark: "Sat Nov 21 09:00:00 2026" });
  assert.equal(await asked(Object.assign(new Error("exit"), { code: 1 })), undefined);
  await assert.rejects(asked(osError("ENOENT", -2)), BrokerError);
});

test("executablePathOf() is the file the process runs", async () => {
  if (!isUnix) return await assert.rejects(executablePathOf(process.pid), isUnsupported);
  assert.equal(realpathSync(await executablePathOf(process.pid)), realpathSync(process.execPath));
});

test("executablePathOf() on macOS takes the first text file that lsof names", async () => {
  const question = "lsof -a -p 42 -d txt -Fn";
  const tools = { [question]: "p42\nftxt\nn/usr/local/bin/my daemon\nftxt\nn/usr/lib/dyld\n" };
  assert.equal(
    await executablePathOf(42, fakeSystem({ platform: "macos", tools })),
    "/usr/local/bin/my daemon",
  );
  const silent = fakeSystem({ platform: "macos", tools: { [question]: "p42\n" } });
  await assert.rejects(executablePathOf(42, silent), BrokerError);
});

test("processes on Windows are reported as unsupported", async () => {
  const windows = fakeSystem({ platform: "windows" });
  await assert.rejects(processIdentity(42, windows), isUnsupported);
  await assert.rejects(executablePathOf(42, windows), isUnsupported);
});
