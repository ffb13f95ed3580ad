// The package as its users get it: built, judged, and installed into an empty project.
// run-in: deno
// deadline-s: 240
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import test, { before } from "node:test";
import { type RuntimeName, runtimeNames } from "../../scripts/runtime_name.ts";
import { ensureRuntime } from "../../scripts/toolchain.ts";
import { projectFile } from "../support/project.ts";
import { makeTree } from "./_tree.ts";

const PROGRAM = [
  'import * as broker from "@running-process/broker";',
  "console.log(JSON.stringify(Object.keys(broker).sort()));",
];
const deno = ["run", "-A", "--quiet", "--no-check"];
const { version } = JSON.parse(readFileSync(projectFile("deno.json"), "utf8"));
let archive = "";

before(() => {
  const build = spawnSync(ensureRuntime("deno"), [...deno, projectFile("scripts/build_npm.ts")], {
    encoding: "utf8",
    timeout: 180_000,
  });
  assert.equal(build.status, 0, build.stderr);
  archive = build.stdout.trim().split("\n").at(-1) ?? "";
});

function run(command: string, args: readonly string[], cwd: string): string {
  const env = { ...process.env, RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1" };
  const child = spawnSync(command, [...args], { cwd, env, encoding: "utf8", timeout: 60_000 });
  assert.equal(child.status, 0, `${command} ${args.join(" ")}\n${child.stdout}${child.stderr}`);
  return child.stdout.trim();
}

async function installed() {
  const project = await makeTree({ "package.json": '{ "type": "module" }', "main.js": PROGRAM });
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  run("npm", ["install", ...flags, archive], project.path);
  return project;
}

test("the package holds its modules, types and papers, and nothing else", () => {
  const paths = run("tar", ["tzf", archive], "/").split("\n").map((path) => path.replace(/^package\//, ""));
  for (const path of ["mod.js", "mod.d.ts", "cli.js", "README.md", "LICENSE", "package.json"]) {
    assert.ok(paths.includes(path), path);
  }
  // One file of what library and command share, and the types of each module.
  assert.equal(paths.filter((path) => /^chunk-[0-9A-Z]+\.js$/.test(path)).length, 1, paths.join(" "));
  const others = paths.filter((path) => !/^(chunk-[0-9A-Z]+\.js|(src|ffi)\/.*\.d\.ts)$/.test(path));
  assert.equal(others.length, 6, others.join(" "));
});

test("the installed package exports the same names in every runtime as its source", async () => {
  await using project = await installed();
  const own = Object.keys(await import(`file://${projectFile("mod.ts")}`)).sort();
  assert.ok(own.length > 0);
  const start = (runtime: RuntimeName) => runtime === "deno" ? deno : [];
  for (const runtime of runtimeNames) {
    const output = run(ensureRuntime(runtime), [...start(runtime), "main.js"], project.path);
    assert.deepEqual(JSON.parse(output), own, runtime);
  }
});

test("the installed package brings the broker as a command", async () => {
  await using project = await installed();
  const command = project.join("node_modules", ".bin", "running-process-broker-v1");
  assert.equal(run(command, ["--version"], project.path), `running-process-broker-v1 ${version}`);
});
