import { writeSync } from "node:fs";

/** Writes a line to stdout. A reader that went away is no reason to fail. */
export function writeOutput(line: string): void {
  writeLine(1, line);
}

/** Writes a line to stderr. A reader that went away is no reason to fail. */
export function writeError(line: string): void {
  writeLine(2, line);
}

function writeLine(fd: number, line: string): void {
  try {
    writeSync(fd, line.endsWith("\n") ? line : `${line}\n`);
  } catch {
    // EPIPE: nobody listens to this process any more. EAGAIN: a pipe that nobody empties; the line is lost.
  }
}
