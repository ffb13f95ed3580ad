// For a backend that a broker launches: notes its start in $XDG_RUNTIME_DIR/starts, and when a file "crash" lies there,
// ends with that status and the file's words on stderr; the file is gone then.
import { appendFileSync, readFileSync, unlinkSync } from "node:fs";
import process from "node:process";

export const CRASH_STATUS = 7;

const folder = process.env["XDG_RUNTIME_DIR"];
if (folder === undefined) throw new Error("XDG_RUNTIME_DIR is not set");
appendFileSync(`${folder}/starts`, `${process.pid}\n`);
const words = takeCrash(`${folder}/crash`);
if (words !== undefined) {
  process.stderr.write(words);
  process.exit(CRASH_STATUS);
}

function takeCrash(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8");
    unlinkSync(path);
    return text;
  } catch {
    // Not there: nothing is to go wrong.
    return undefined;
  }
}
