import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { nodeBuildPath } from "../../scripts/node_build_path.ts";
import { type RuntimeName, runtimeNames } from "../../scripts/runtime_name.ts";
import { ensureRuntime } from "../../scripts/toolchain.ts";
import { projectFile } from "./project.ts";
import type { ProcessCommand } from "./spawn.ts";

/** A runtime that a module of the project can be run in. */
export type Runtime = RuntimeName;

/** Every runtime a test can start a module in. */
export const allRuntimes: readonly Runtime[] = runtimeNames;

/** The runtime of this process; `node` is a Node whose major version is not among the tested ones. */
export const currentRuntime: Runtime | "node" = findCurrentRuntime();

/** Set by a test run that has brought `.build/node` up to date for all its children. */
export const NODE_BUILD_READY_ENV = "RP_NODE_BUILD_READY";

const BUILD_DEADLINE_MS = 60_000;
let isBuildFresh = process.env[NODE_BUILD_READY_ENV] === "1";

/**
 * How to run a module of the project in a runtime.
 *
 * Installs the runtime and compiles for Node where that has not been done yet; both take a while the first time.
 *
 * @param runtime The runtime.
 * @param modulePath A `.ts` file, relative to the project.
 * @param args The module's own arguments.
 * @returns What to hand to `startProcess()`.
 */
export function runtimeCommand(
  runtime: Runtime,
  modulePath: string,
  args: readonly string[] = [],
): Required<ProcessCommand> {
  const source = projectFile(modulePath);
  if (!modulePath.endsWith(".ts") || !existsSync(source)) {
    throw new TypeError(`Not a TypeScript file of the project: "${modulePath}"`);
  }
  const command = ensureRuntime(runtime);
  if (runtime === "deno") {
    const flags = ["run", "-A", "--quiet", "--no-check", "--config", projectFile("deno.json")];
    return { command, args: [...flags, source, ...args], env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" } };
  }
  if (runtime === "bun") return { command, args: [source, ...args], env: { NO_COLOR: "1" } };
  ensureNodeBuild();
  return { command, args: [projectFile(nodeBuildPath(modulePath)), ...args], env: { NO_COLOR: "1" } };
}

/** Compiles for Node, at most once in a process, by a child of this runtime. */
function ensureNodeBuild(): void {
  if (isBuildFresh) return;
  // The build turns this ending, too, into its own.
  const script = fileURLToPath(new URL("../../scripts/build_node.ts", import.meta.url));
  const flags = currentRuntime === "deno" ? ["run", "-A", "--quiet", "--no-check"] : [];
  const build = spawnSync(process.execPath, [...flags, script], {
    encoding: "utf8",
    timeout: BUILD_DEADLINE_MS,
  });
  if (build.status !== 0) throw new Error(`Cannot compile for Node: ${build.stderr}`);
  isBuildFresh = true;
}

function findCurrentRuntime(): Runtime | "node" {
  if (process.versions["deno"] !== undefined) return "deno";
  if (process.versions["bun"] !== undefined) return "bun";
  const name = `node${process.versions.node.split(".")[0]}`;
  return runtimeNames.find((known) => known === name) ?? "node";
}
