import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A private folder that is removed with everything in it when the test lets go of it. */
export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** The path of a name inside. */
  join(...parts: string[]): string;
}

/**
 * Makes a folder of mode 0700 for one test: `await using dir = await makeTempDir();`.
 *
 * Its path is short, because a socket's path has room for 107 bytes on Linux and 103 on macOS.
 */
export async function makeTempDir(): Promise<TempDir> {
  const path = await mkdtemp(join(shortestParent(), "rp-"));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function shortestParent(): string {
  try {
    accessSync("/tmp", constants.W_OK);
    return "/tmp";
  } catch {
    // No /tmp here (Windows, a sandbox): the longer configured folder has to do.
    return tmpdir();
  }
}
