import { readFileSync } from "node:fs";
import { open, readFile, readlink } from "node:fs/promises";
import { type ProcFile, procFiles } from "../../ffi/proc_files.ts";
import type { FileStatus } from "./file_identity.ts";
import { isRuntimeDenial } from "./os_error_text.ts";

/** An open file that can be read in steps, as the runtime's own handle is one. */
export interface ReadableFile {
  /** Its status now. */
  stat(options: { bigint: true }): Promise<FileStatus>;
  /** Reads to a part of a buffer, from a position of the file. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  /** Gives it up. */
  close(): Promise<void>;
}

/*
 * Deno reads nothing below `/proc` without `--allow-all`. These four ask it first; what it forbids there goes to
 * the C library, if this process may call that, and every other answer of the runtime stands.
 */

/** The text of a file. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    return deniedFiles(error, path).readText(path);
  }
}

/** The same without waiting. */
export function readTextSync(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return deniedFiles(error, path).readText(path);
  }
}

/** Where a link points. */
export async function readLink(path: string): Promise<string> {
  try {
    return await readlink(path);
  } catch (error) {
    return deniedFiles(error, path).readLink(path);
  }
}

/** Opens a file for reading; whoever opened it closes it. */
export async function openForReading(path: string): Promise<ReadableFile> {
  try {
    return await open(path, "r");
  } catch (error) {
    return readableFile(deniedFiles(error, path).open(path));
  }
}

/** The way around a denial, or the error again when it is none or there is no way. */
function deniedFiles(error: unknown, path: string) {
  const files = isRuntimeDenial(error) && path.startsWith("/proc/") ? procFiles() : undefined;
  if (files === undefined) throw error;
  return files;
}

function readableFile(file: ProcFile): ReadableFile {
  return {
    stat: () => new Promise((resolve) => resolve(file.status())),
    read: (buffer, offset, length, position) =>
      new Promise((resolve) =>
        resolve({ bytesRead: file.read(buffer.subarray(offset, offset + length), BigInt(position)) })
      ),
    close: () => new Promise((resolve) => resolve(file.close())),
  };
}
