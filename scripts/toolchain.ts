import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { delimiter, join, sep } from "node:path";
import process from "node:process";
import { projectFile } from "../tests/support/project.ts";
import { type RuntimeName, runtimeNames } from "./runtime_name.ts";

/** What the tests were written against; a report names them. */
export const pinnedVersions: Readonly<Record<RuntimeName, string>> = {
  deno: "2.9.6",
  bun: "1.4.5",
  node20: "20.20.2",
  node24: "24.21.0",
  node26: "26.10.0",
};

/** The variable by which a test run hands the paths it resolved to its children, as JSON. */
export const TOOLCHAIN_ENV = "RP_TOOLCHAIN";

/** An npm package that holds nothing but a runtime's executable. */
export interface BinaryPackage {
  name: string;
  /** Where the executable lies inside the package. */
  executable: string;
}

// A registry download of 100 MB on a slow line, and no more.
const INSTALL_DEADLINE_MS = 300_000;
const VERSION_DEADLINE_MS = 20_000;
// The first 20.x whose JUnit reporter and `require(esm)` the tests rely on.
const NODE_20_MINOR_MIN = 19;

/** Names the npm package that holds a runtime for a platform, in Node's own words for both. */
export function binaryPackage(runtime: RuntimeName, platform: string, arch: string): BinaryPackage {
  const known = (platform === "linux" || platform === "darwin") && (arch === "x64" || arch === "arm64");
  if (!known) throw new Error(`Cannot install runtime "${runtime}": no package for "${platform}-${arch}"`);
  if (runtime === "deno") {
    return { name: `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}`, executable: "deno" };
  }
  if (runtime === "bun") {
    return { name: `@oven/bun-${platform}-${arch === "arm64" ? "aarch64" : arch}`, executable: "bin/bun" };
  }
  return { name: `node-${platform}-${arch}`, executable: "bin/node" };
}

/** The path of a runtime's executable, installed into `.toolchain` first when this machine has none. */
export function ensureRuntime(runtime: RuntimeName): string {
  return fromParent(runtime) ?? onThisMachine(runtime) ?? installed(runtime);
}

/** All given runtimes by name. */
export function ensureRuntimes(runtimes: readonly RuntimeName[]): Partial<Record<RuntimeName, string>> {
  return Object.fromEntries(runtimes.map((runtime) => [runtime, ensureRuntime(runtime)]));
}

/** The first `node` on a PATH that no package put there. */
export function machineNode(path: string): string | undefined {
  return path.split(delimiter)
    .filter((folder) => folder !== "" && !folder.includes(`node_modules${sep}.bin`))
    .map((folder) => join(folder, "node"))
    .find((candidate) => existsSync(candidate));
}

function fromParent(runtime: RuntimeName): string | undefined {
  const text = process.env[TOOLCHAIN_ENV];
  return text === undefined ? undefined : (JSON.parse(text) as Partial<Record<RuntimeName, string>>)[runtime];
}

function onThisMachine(runtime: RuntimeName): string | undefined {
  if (runtime === "deno" && process.versions["deno"] === pinnedVersions.deno) return process.execPath;
  if (runtime !== "node20") return undefined;
  const node = machineNode(process.env["PATH"] ?? "");
  const [major, minor] = (node === undefined ? "" : versionOf(node)).split(".").map(Number);
  return major === 20 && minor !== undefined && minor >= NODE_20_MINOR_MIN ? node : undefined;
}

function installed(runtime: RuntimeName): string {
  const version = pinnedVersions[runtime];
  const { name, executable } = binaryPackage(runtime, process.platform, process.arch);
  const folder = projectFile(join(".toolchain", `${runtime}-${version}`));
  const path = join(folder, "node_modules", name, executable);
  if (!existsSync(path)) install(`${name}@${version}`, folder);
  if (!existsSync(path)) throw new Error(`Cannot find "${executable}" in package "${name}" ${version}`);
  return path;
}

/** Installs beside the target and renames, so that two processes at once end with one whole folder. */
function install(specifier: string, folder: string): void {
  console.error(`Installing ${specifier}`);
  mkdirSync(projectFile(".toolchain"), { recursive: true });
  const scratch = mkdtempSync(`${folder}.`);
  try {
    const flags = ["--ignore-scripts", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"];
    const npm = spawnSync("npm", ["install", "--prefix", scratch, ...flags, specifier], {
      encoding: "utf8",
      timeout: INSTALL_DEADLINE_MS,
    });
    if (npm.status !== 0) {
      throw new Error(
        `Cannot install "${specifier}": npm ended with ${npm.status ?? npm.signal}\n${npm.stderr}`,
      );
    }
    moveUnlessThere(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (cause) {
    // Another process was faster: its folder is as good as ours.
    if (!existsSync(to)) throw cause;
  }
}

/** What an executable answers to `--version`, without the leading "v". */
function versionOf(executable: string): string {
  const answer = spawnSync(executable, ["--version"], { encoding: "utf8", timeout: VERSION_DEADLINE_MS });
  return answer.status === 0 ? answer.stdout.trim().replace(/^v/, "") : "";
}

if (import.meta.main) {
  const wanted = runtimeNames.filter((name) => process.argv.length === 2 || process.argv.includes(name));
  console.log(JSON.stringify(ensureRuntimes(wanted), null, 2));
}
