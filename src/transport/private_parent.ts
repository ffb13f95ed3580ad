import type { Stats } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import process from "node:process";
import { dirname } from "node:path";
import { BrokerError } from "../errors.ts";
import { osErrorCode } from "./os_error.ts";

/**
 * Makes sure that a socket's directory belongs to this user alone, creating it (0700) when it is missing.
 *
 * @returns The directory.
 * @throws {BrokerError} With code "config" when others may enter it or it cannot be made.
 */
export async function ensurePrivateParent(socketPath: string): Promise<string> {
  const directory = dirname(socketPath);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    checkPrivate(directory, await stat(directory));
  } catch (error) {
    if (BrokerError.is(error)) throw error;
    const seen = osErrorCode(error) ?? String(error);
    throw new BrokerError(
      "config",
      `Cannot use the socket directory "${directory}": making it gave ${seen}; ` +
        `choose a directory that is there or can be made`,
      { cause: error },
    );
  }
  return directory;
}

function checkPrivate(directory: string, found: Stats): void {
  const mode = Number(found.mode) & 0o777;
  const uid = process.geteuid?.();
  if (!found.isDirectory()) {
    throw new BrokerError("config", `Cannot use the socket directory "${directory}": it is not a directory`);
  }
  if (uid !== undefined && Number(found.uid) !== uid) {
    throw new BrokerError(
      "config",
      `Cannot use the socket directory "${directory}": it belongs to uid ${found.uid}, wanted ${uid}; choose a directory of your own`,
    );
  }
  if ((mode & 0o077) !== 0) {
    throw new BrokerError(
      "config",
      `Cannot use the socket directory "${directory}": its mode is 0${mode.toString(8)}, wanted 0700; ` +
        `run chmod 700 on it or choose a directory of your own`,
    );
  }
}
