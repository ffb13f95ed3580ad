import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { osErrorCode } from "../transport/os_error.ts";

/** Between two tries at a pipe that is full and does not block. */
const FULL_PIPE_POLL_MS = 2;

/** Writes what there is from an offset on, or a part of it. @returns How many bytes it took. */
export type WriteSome = (bytes: Uint8Array, offset: number) => number;

/** Writes a line to stdout. A reader that went away is no reason to fail. */
export function writeOutput(line: string): void {
  writeLine(1, line);
}

/** Writes a line to stderr. A reader that went away is no reason to fail. */
export function writeError(line: string): void {
  writeLine(2, line);
}

/**
 * Writes a text of any length to stdout, with a line end behind it if it has none.
 *
 * Waits for a slow reader as long as that one takes; a reader that went away is no reason to fail.
 */
export async function writeBody(text: string, writeSome: WriteSome = writeStdout): Promise<void> {
  const bytes = new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSome(bytes, written);
    } catch (error) {
      const code = osErrorCode(error);
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error;
      await delay(FULL_PIPE_POLL_MS);
    }
  }
}

function writeStdout(bytes: Uint8Array, offset: number): number {
  return writeSync(1, bytes, offset);
}

function writeLine(fd: number, line: string): void {
  try {
    writeSync(fd, line.endsWith("\n") ? line : `${line}\n`);
  } catch {
    // EPIPE: nobody listens to this process any more. EAGAIN: a pipe that nobody empties; the line is lost.
  }
}
