// Type-checks what has no I/O as if there were no runtime: `deno run -A scripts/check_core.ts [root]`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { projectRoot } from "../tests/support/project.ts";
import { ChildRunner } from "./child_runner.ts";
import { isPure } from "./structure/purity_rules.ts";
import { readSourceTree } from "./structure/source_tree.ts";

/** What the type checker said. */
export interface CoreCheck {
  files: number;
  isGood: boolean;
  output: string;
}

const DEADLINE_MS = 120_000;
// Pure JavaScript and what every runtime shares with a browser.
const LIBRARIES = ["esnext", "dom"];

const HINT = "A file without I/O reaches one that uses Node; the structure check names the import\n";

/** Checks every file below `src` that promises to have no I/O, with no types of Deno, Bun or Node. */
export async function checkCore(root: string, children: ChildRunner): Promise<CoreCheck> {
  const files = [...readSourceTree(root).sources.values()]
    .filter((source) => source.path.startsWith("src/") && isPure(source))
    .map(({ path }) => path);
  if (files.length === 0) return { files: 0, isGood: false, output: "No file promises to have no I/O\n" };
  const folder = join(root, ".build", "core");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "deno.json"), JSON.stringify(coreConfig(root)));
  const args = ["check", "--quiet", "--no-lock", "--config", join(folder, "deno.json"), ...files];
  const run = await children.run({ command: process.execPath, args, cwd: root, deadlineMs: DEADLINE_MS });
  // The checker's own words for "it needs Node's types" are hard to read.
  const hint = run.output.includes("npm:@types/node") ? HINT : "";
  return { files: files.length, isGood: run.code === 0, output: run.output + hint };
}

/** The project's configuration without its files and runtimes. */
function coreConfig(root: string): Record<string, unknown> {
  const { compilerOptions, imports } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
  const packages = Object.entries<string>(imports ?? {}).filter(([, target]) => target.startsWith("npm:"));
  return {
    nodeModulesDir: "manual",
    imports: Object.fromEntries(packages),
    compilerOptions: { ...compilerOptions, lib: LIBRARIES, types: [] },
  };
}

if (import.meta.main) {
  const { files, isGood, output } = await checkCore(process.argv[2] ?? projectRoot, new ChildRunner());
  console.log(`${output}${files} files without I/O: ${isGood ? "good" : "bad"}`);
  process.exitCode = isGood ? 0 : 1;
}
