import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";

/** A folder with the given files: each text is a list of lines, or made of them already. */
export async function makeTree(
  files: Readonly<Record<string, string | readonly string[]>>,
): Promise<TempDir> {
  const dir = await makeTempDir();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(dir.join(path)), { recursive: true });
    writeFileSync(dir.join(path), typeof text === "string" ? text : `${text.join("\n")}\n`);
  }
  return dir;
}
