// Writes .build/node, the JavaScript that Node runs: `deno run -A scripts/build_node.ts`.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { build, type Plugin, stop, version } from "esbuild";
import { projectRoot } from "../tests/support/project.ts";
import { nodeBuildPath } from "./node_build_path.ts";

/** What one build did. */
export interface NodeBuild {
  built: string[];
  removed: string[];
  unchanged: number;
}

/** Where to build; the project's own tree unless a test names another. */
export interface NodeBuildOptions {
  root?: string;
}

const SOURCE_ROOTS = ["mod.ts", "cli.ts", "src", "ffi", "tests", "bench", "scripts"];
// Data and foreign sources; nothing below is ours to compile.
const FOLDERS_SKIPPED = new Set(["golden", "node_modules", "target"]);
// Node 20 is the oldest supported: it lacks `using`, which esbuild writes out for it.
const TARGET = "node20";
// A new number rebuilds everything after a change in this file.
const RECIPE = `1 esbuild-${version} ${TARGET}`;

/** Brings `.build/node` up to date: only changed sources are compiled, each file appears whole. */
export async function buildForNode({ root = projectRoot }: NodeBuildOptions = {}): Promise<NodeBuild> {
  const manifestPath = join(root, ".build", "node", "manifest.json");
  const before = readManifest(manifestPath);
  const after = new Map(listSources(root).map((source) => [source, fingerprint(join(root, source))]));
  const built = [...after.keys()].filter((source) =>
    before.get(source) !== after.get(source) || !existsSync(join(root, nodeBuildPath(source)))
  );
  const removed = [...before.keys()].filter((source) => !after.has(source));
  if (built.length > 0) await compile(root, built);
  for (const source of removed) rmSync(join(root, nodeBuildPath(source)), { force: true });
  writeWhole(manifestPath, JSON.stringify({ recipe: RECIPE, sources: Object.fromEntries(after) }));
  return { built, removed, unchanged: after.size - built.length };
}

function listSources(root: string): string[] {
  const found = SOURCE_ROOTS.flatMap((entry) => {
    if (!existsSync(join(root, entry))) return [];
    return entry.endsWith(".ts") ? [entry] : listFolder(root, entry);
  });
  return found.sort();
}

function listFolder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return FOLDERS_SKIPPED.has(entry.name) ? [] : listFolder(root, path);
    return entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts") ? [path] : [];
  });
}

function fingerprint(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

function readManifest(path: string): Map<string, string> {
  if (!existsSync(path)) return new Map();
  const { recipe, sources } = JSON.parse(readFileSync(path, "utf8"));
  const unlessOutdated = (hash: unknown) => recipe === RECIPE ? String(hash) : "";
  return new Map(Object.entries(sources).map(([source, hash]) => [source, unlessOutdated(hash)]));
}

async function compile(root: string, sources: readonly string[]): Promise<void> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: sources.map((source) => join(root, source)),
    outbase: root,
    outdir: join(root, ".build", "node"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: TARGET,
    sourcemap: "inline",
    sourcesContent: false,
    treeShaking: false,
    logLevel: "warning",
    write: false,
    plugins: [oneFileEach(root), moduleUrls()],
  });
  for (const { path, contents } of result.outputFiles) writeWhole(path, contents);
}

/** Bundles nothing: each import stays an import, and its `.ts` ending becomes `.js`. */
function oneFileEach(root: string): Plugin {
  return {
    name: "one-file-each",
    setup(on) {
      on.onResolve({ filter: /.*/ }, ({ kind, path, importer }) => {
        if (kind === "entry-point") return undefined;
        if (path === "@running-process/broker") return { path: pathBetween(importer, root), external: true };
        return { path: path.startsWith(".") ? path.replace(/\.ts$/, ".js") : path, external: true };
      });
    },
  };
}

/** The package under its own name, which the import map of the sources points at `mod.ts`. */
function pathBetween(importer: string, root: string): string {
  const path = relative(dirname(importer), join(root, "mod.js"));
  return path.startsWith(".") ? path : `./${path}`;
}

/** `new URL("./x.ts", import.meta.url)` names a module too; esbuild does not follow it. */
function moduleUrls(): Plugin {
  const pattern = /(new URL\(\s*"\.{1,2}\/[^"]*)\.ts("\s*,\s*import\.meta\.url)/g;
  return {
    name: "module-urls",
    setup(on) {
      on.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        contents: readFileSync(path, "utf8").replace(pattern, "$1.js$2"),
        loader: "ts",
      }));
    },
  };
}

function writeWhole(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const scratch = `${path}.${process.pid}`;
  writeFileSync(scratch, contents);
  renameSync(scratch, path);
}

// Node 20 has no `import.meta.main`.
const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(script).href) {
  const { built, removed, unchanged } = await buildForNode();
  await stop();
  console.log(`.build/node: ${built.length} built, ${removed.length} removed, ${unchanged} unchanged`);
}
