// For a backend that a broker launches: notes its start in $XDG_RUNTIME_DIR/starts and the sockets it has by then in
// "sockets", and when a file "crash" lies there, ends with a status and the file's words on stderr; that file is gone
// then.
import { appendFileSync, readdirSync, readFileSync, readlinkSync, unlinkSync } from "node:fs";
import process from "node:process";

export const CRASH_STATUS = 7;

const folder = process.env["XDG_RUNTIME_DIR"];
if (folder === undefined) throw new Error("XDG_RUNTIME_DIR is not set");
appendFileSync(`${folder}/starts`, `${process.pid}\n`);
appendFileSync(`${folder}/sockets`, openSockets().map((name) => `${name}\n`).join(""));
const words = takeCrash(`${folder}/crash`);
if (words !== undefined) {
  process.stderr.write(words);
  process.exit(CRASH_STATUS);
}

function openSockets(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const name = readlinkSync(`/proc/self/fd/${fd}`);
      return name.startsWith("socket:") ? [name] : [];
    } catch {
      // The descriptor that the folder was read with.
      return [];
    }
  });
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
