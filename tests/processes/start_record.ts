// For a backend that a broker launches: notes its start in $XDG_RUNTIME_DIR/starts and the sockets it has by then in
// "sockets", and when a file "crash" or "crash-always" lies there, ends with a status and the file's words on stderr;
// the former is gone then. As long as a file "hold" is there it goes no further than the note.
import { appendFileSync, existsSync, readdirSync, readFileSync, readlinkSync, unlinkSync } from "node:fs";
import process from "node:process";

export const CRASH_STATUS = 7;
const HOLD_POLL_MS = 5;

const folder = process.env["XDG_RUNTIME_DIR"];
if (folder === undefined) throw new Error("XDG_RUNTIME_DIR is not set");
appendFileSync(`${folder}/starts`, `${process.pid}\n`);
appendFileSync(`${folder}/sockets`, openSockets().map((name) => `${name}\n`).join(""));
// Without a turn of the event loop, in which the module that serves would run.
const cell = new Int32Array(new SharedArrayBuffer(4));
while (existsSync(`${folder}/hold`)) Atomics.wait(cell, 0, 0, HOLD_POLL_MS);
const words = takeCrash(`${folder}/crash`) ?? read(`${folder}/crash-always`);
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
  const text = read(path);
  if (text !== undefined) unlinkSync(path);
  return text;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not there: nothing is to go wrong.
    return undefined;
  }
}
