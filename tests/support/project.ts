import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root: the nearest folder above this file with a `deno.json` (a transpiled copy has none). */
export const projectRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  if (existsSync(join(folder, "deno.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`No deno.json above ${import.meta.url}`);
  return findRoot(parent);
}

/** The path of a file of the project, given relative to its root. */
export function projectFile(path: string): string {
  return join(projectRoot, path);
}
