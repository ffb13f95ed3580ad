// Builds the npm package into npm/ and packs it: `deno task build:npm`. The archive's path is the last line.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { build as bundle, stop } from "esbuild";
import { projectFile, projectRoot } from "../tests/support/project.ts";
import { ChildRunner } from "./child_runner.ts";
import { exactDependencies, npmManifest } from "./npm_manifest.ts";
import { findImports, readSourceText } from "./structure/source_text.ts";
import { ensureRuntime, pinnedVersions } from "./toolchain.ts";

/** What this script reads of `deno.json`. */
interface ProjectConfig {
  name: string;
  version: string;
  license: string;
  imports: Record<string, string>;
  compilerOptions: Record<string, unknown>;
}

/** What this script reads of `package.json`. */
interface PackageFile {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

const STEP_DEADLINE_MS = 120_000;
const SOURCES = ["mod.ts", "cli.ts", "src", "ffi"];
const PAPERS = ["README.md", "LICENSE"];
const SHEBANG = "#!/usr/bin/env node\n";
/** Only the command uses these. */
const COMMAND_ROOM = join("src", "cli", "/");

const children = new ChildRunner();

/** Builds in a folder of its own, so that two builds at once do not meet; what was there before is replaced last. */
async function main(): Promise<string> {
  mkdirSync(projectFile(".build"), { recursive: true });
  const work = mkdtempSync(projectFile(".build/npm-"));
  try {
    const built = await build(join(work, "stage"), join(work, "npm"));
    const archive = await pack(built, join(work, "archive"));
    await judge(archive);
    replace(built, projectFile("npm"));
    const kept = projectFile(join(".build", "archive", archive.slice(dirname(archive).length + 1)));
    replace(archive, kept);
    return kept;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function build(stage: string, output: string): Promise<string> {
  stageSources(stage);
  const packArgs = ["pack", "--allow-dirty", "--no-source-maps", "-o", "package.tgz"];
  await run("deno pack", ensureRuntime("deno"), packArgs, stage);
  await run("tar", "tar", ["xzf", "package.tgz"], stage);
  const files = listFiles(join(stage, "package"), "").filter((path) => path.endsWith(".d.ts"));
  const specifiers: string[] = [];
  for (const path of files) specifiers.push(...publishTypes(join(stage, "package", path), output, path));
  specifiers.push(...await publishCode(join(stage, "package"), output));
  await stop();
  for (const paper of PAPERS) cpSync(projectFile(paper), join(output, paper));
  writeJson(join(output, "package.json"), manifest(specifiers));
  return output;
}

/** Copies what belongs into the package, with a configuration whose exports are both entries. */
function stageSources(stage: string): void {
  mkdirSync(stage, { recursive: true });
  for (const source of SOURCES) cpSync(projectFile(source), join(stage, source), { recursive: true });
  const { name, version, license, imports, compilerOptions } = readConfig();
  const packages = Object.entries(imports).filter(([, to]) => to.startsWith("npm:"));
  writeJson(join(stage, "deno.json"), {
    name,
    version,
    license,
    exports: { ".": "./mod.ts", "./cli": "./cli.ts" },
    nodeModulesDir: "manual",
    imports: Object.fromEntries(packages),
    compilerOptions,
  });
  symlinkSync(projectFile("node_modules"), join(stage, "node_modules"));
}

/** Moves one module's types into the package, unless only the command has them, and tells what they import. */
function publishTypes(source: string, output: string, path: string): string[] {
  if (path === "cli.d.ts" || path.startsWith(COMMAND_ROOM)) return [];
  const text = readFileSync(source, "utf8");
  mkdirSync(dirname(join(output, path)), { recursive: true });
  writeFileSync(join(output, path), text);
  return findImports(readSourceText(text)).map(({ specifier }) => specifier);
}

/**
 * Writes library and command with what both use: Node reads a few files in half the time that it takes for 300.
 * Other packages stay imports. @returns What is imported.
 */
async function publishCode(packed: string, output: string): Promise<string[]> {
  const { outputFiles } = await bundle({
    absWorkingDir: packed,
    entryPoints: ["./mod.js", "./cli.js"],
    outdir: output,
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    format: "esm",
    // Node 20 has no `using`; esbuild writes it out.
    target: "node20",
    legalComments: "none",
    write: false,
  });
  return outputFiles.flatMap(({ path, text }) => {
    const code = text.replace(/^#!.*\n/, "");
    const isCommand = basename(path) === "cli.js";
    writeFileSync(path, isCommand ? SHEBANG + code : code, { mode: isCommand ? 0o755 : 0o644 });
    return findImports(readSourceText(code)).map(({ specifier }) => specifier);
  });
}

function manifest(specifiers: readonly string[]): Record<string, unknown> {
  const { name, version, license } = readConfig();
  const { dependencies, devDependencies }: PackageFile = JSON.parse(
    readFileSync(projectFile("package.json"), "utf8"),
  );
  return npmManifest({
    name,
    version,
    license,
    dependencies: exactDependencies(specifiers, dependencies),
    optionalDependencies: exactDependencies(["koffi"], devDependencies),
    engines: { node: pinnedVersions.node20, bun: pinnedVersions.bun, deno: pinnedVersions.deno },
    folders: ["src", "chunk-*.js"],
  });
}

async function pack(built: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  await run(
    "npm pack",
    "npm",
    ["pack", built, "--pack-destination", folder, "--ignore-scripts"],
    projectRoot,
  );
  const [archive] = readdirSync(folder);
  if (archive === undefined) throw new Error(`Cannot find the archive that npm packed in "${folder}"`);
  return join(folder, archive);
}

/** Two independent judges of how the package resolves and what its types promise. */
async function judge(archive: string): Promise<void> {
  const node = ensureRuntime("node24");
  const publint = projectFile("node_modules/publint/src/cli.js");
  await run("publint", node, [publint, archive, "--strict"], projectRoot);
  const attw = projectFile("node_modules/@arethetypeswrong/cli/dist/index.js");
  await run("attw", node, [attw, archive, "--profile", "esm-only", "--no-emoji"], projectRoot);
}

async function run(name: string, command: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, output } = await children.run({ command, args, cwd, deadlineMs: STEP_DEADLINE_MS });
  if (code !== 0) throw new Error(`Step "${name}" ended with ${code}\n${output}`);
  console.log(`${name}: good`);
}

function replace(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
}

function listFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(root, path) : [path];
  });
}

function readConfig(): ProjectConfig {
  return JSON.parse(readFileSync(projectFile("deno.json"), "utf8"));
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

console.log(await main());
