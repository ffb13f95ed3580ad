import assert from "node:assert/strict";
import { mkdir, realpath, symlink, writeFile } from "node:fs/promises";
import test from "node:test";
import { launchCommand } from "../../../src/broker/launch/launch_command.ts";
import { LaunchError, type LaunchErrorKind } from "../../../src/broker/launch/launch_error.ts";
import { makeTempDir, type TempDir } from "../../support/temp_dir.ts";

async function makeFolders(): Promise<TempDir> {
  const dir = await makeTempDir();
  await mkdir(dir.join("versions/1.0"), { recursive: true });
  await mkdir(dir.join("bin"));
  for (const name of ["versions/1.0/tool", "versions-2", "bin/run", "bin/not"]) {
    await writeFile(dir.join(name), "", { mode: name === "bin/not" ? 0o600 : 0o755 });
  }
  await symlink("versions/1.0", dir.join("current"));
  await symlink("../versions-2", dir.join("versions/out"));
  return dir;
}

function define(dir: TempDir, binary: string, labels: Record<string, string> = {}) {
  return { binaryPath: dir.join(binary), perVersionBinaryDir: dir.join("versions"), labels };
}

async function failsAs(kind: LaunchErrorKind, launch: Promise<unknown>): Promise<void> {
  await assert.rejects(launch, (error) => error instanceof LaunchError && error.kind === kind);
}

test("launchCommand() starts the binary without links, and without arguments unless labels say so", async () => {
  await using dir = await makeFolders();
  const tool = await realpath(dir.join("versions/1.0/tool"));
  assert.deepEqual(await launchCommand(define(dir, "current/tool"), ""), { executable: tool, args: [] });
  const labelled = define(dir, "versions/1.0/tool", { args: "  serve --quiet " });
  assert.deepEqual((await launchCommand(labelled, "")).args, ["serve", "--quiet"]);
});

test("launchCommand() starts a script by its interpreter, given or found on PATH", async () => {
  await using dir = await makeFolders();
  const tool = await realpath(dir.join("versions/1.0/tool"));
  const run = await realpath(dir.join("bin/run"));
  const args = '["-A", "a b"]';
  const wanted = { executable: run, args: ["-A", "a b", tool] };
  const given = define(dir, "current/tool", { interpreter: dir.join("bin/run"), args });
  assert.deepEqual(await launchCommand(given, ""), wanted);
  const named = define(dir, "current/tool", { interpreter: "run", args });
  assert.deepEqual(await launchCommand(named, `bin:${dir.join("none")}:${dir.join("bin")}`), wanted);
  for (const interpreter of ["not", "missing", "bin/run", "../bin/run"]) {
    await failsAs("Label", launchCommand(define(dir, "current/tool", { interpreter }), dir.join("bin")));
  }
});

test("launchCommand() refuses what the definition does not allow to be started", async () => {
  await using dir = await makeFolders();
  const allowed = define(dir, "current/tool");
  await failsAs("EmptyBinaryPath", launchCommand({ ...allowed, binaryPath: "" }, ""));
  await failsAs("EmptyPerVersionBinaryDir", launchCommand({ ...allowed, perVersionBinaryDir: "" }, ""));
  await failsAs("Canonicalize", launchCommand(define(dir, "versions/missing"), ""));
  await failsAs("Canonicalize", launchCommand({ ...allowed, perVersionBinaryDir: dir.join("missing") }, ""));
  for (const outside of ["versions-2", "versions/out", "bin/run", "versions"]) {
    await failsAs("BinaryOutsideAllowRoot", launchCommand(define(dir, outside), ""));
  }
  for (const args of ['["a', "[1]", "[null]", '["a\\u0000"]']) {
    await failsAs("Label", launchCommand(define(dir, "current/tool", { args }), ""));
  }
});
