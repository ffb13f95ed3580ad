import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { hostPlatform } from "./host_platform.ts";
import { osErrorCode } from "./os_error_text.ts";

/** Mode of the files this package writes: they say whom to trust, so nobody else gets a say. */
const FILE_MODE = 0o600;

/** Tries for an unused name. Two writers meet only when they start in the same nanosecond. */
const NAME_TRIES = 8;

/**
 * Replaces a file's content so that a reader sees the old content or the new one, never a part (protocol 9.4).
 *
 * The content goes to `.{name}.tmp-{pid}-{nanoseconds}` beside the file, to the disk, and then takes the name.
 * Whatever fails, that temporary file is removed; a writer that is killed leaves it behind and the file alone.
 *
 * In Deno it requires `--allow-read` and `--allow-write` for the directory.
 *
 * @param path The file. Its missing directories are created.
 * @param content All of it. Text is written as UTF-8.
 * @throws Errors of the system are passed on.
 */
export async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true });
  const [temporary, file] = await createBeside(path);
  try {
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (hostPlatform() !== "windows") await syncDirectory(directory);
}

async function createBeside(path: string): Promise<[path: string, file: FileHandle]> {
  for (let tries = 1;; tries++) {
    const name = `.${basename(path)}.tmp-${process.pid}-${unixNanoseconds()}`;
    const temporary = join(dirname(path), name);
    try {
      return [temporary, await open(temporary, "wx", FILE_MODE)];
    } catch (error) {
      if (osErrorCode(error) !== "EEXIST" || tries === NAME_TRIES) throw error;
    }
  }
}

function unixNanoseconds(): bigint {
  return BigInt(Date.now()) * 1_000_000n + process.hrtime.bigint() % 1_000_000n;
}

/** A rename is on the disk only when its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
