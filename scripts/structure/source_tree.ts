import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { readSource, type SourceTree } from "./source_file.ts";

const FOLDERS_SKIPPED = new Set([
  ".git",
  ".build",
  ".toolchain",
  "node_modules",
  "npm",
  "target",
  "golden",
]);
const TEXT_NAME = /\.(ts|md|json|jsonc|toml|lock|rs|proto|c|h|py|sh|yml|yaml)$|^(run|package-lock\.json)$/;

/** Reads every text file below a folder that people or tools of this project wrote. */
export function readSourceTree(root: string): SourceTree {
  const texts = new Map(listTexts(root, "").map((path) => [path, readFileSync(join(root, path), "utf8")]));
  const sources = new Map(
    [...texts].filter(([path]) => path.endsWith(".ts")).map(([path, text]) => [path, readSource(path, text)]),
  );
  return { texts, sources };
}

function listTexts(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) return FOLDERS_SKIPPED.has(entry.name) ? [] : listTexts(root, path);
      return entry.isFile() && TEXT_NAME.test(entry.name) ? [path] : [];
    });
}
