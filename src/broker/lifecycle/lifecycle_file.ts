import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { BrokerError } from "../../errors.ts";
import { osErrorCode } from "../../host/os_error_text.ts";
import { directoryAccess } from "../../host/private_directory.ts";

/** Bytes of the log before it is put aside: some thousand events, and the same again in the older one. */
export const LIFECYCLE_FILE_BYTES_MAX = 1024 * 1024;

/** A log that several brokers append to at the same time. Lines are few, so they are written without waiting. */
export class LifecycleFile {
  readonly #path: string;
  readonly #bytesMax: number;

  /**
   * Names the file; nothing is created.
   *
   * @param path The log. The older one is beside it, with `.1` at its end.
   */
  constructor(path: string, bytesMax: number = LIFECYCLE_FILE_BYTES_MAX) {
    this.#path = path;
    this.#bytesMax = bytesMax;
  }

  /**
   * Appends a line by one write, to a file of this user alone (0600) in a directory of this user alone (0700).
   *
   * In Deno it requires `--allow-read` and `--allow-write` for the directory.
   *
   * @throws {BrokerError} With code "config" when others may enter the directory; errors of the system as they are.
   */
  append(line: Uint8Array): void {
    this.#requirePrivateDirectory();
    const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants;
    const fd = openSync(this.#path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600);
    try {
      const bytes = writeSync(fd, line);
      if (bytes < line.length) {
        throw new BrokerError("os", `Cannot append to "${this.#path}": no room is left`);
      }
      putAside(this.#path, fd, this.#bytesMax);
    } finally {
      closeSync(fd);
    }
  }

  #requirePrivateDirectory(): void {
    const directory = dirname(this.#path);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (directoryAccess.isPrivateSync(directory)) return;
    const mode = (statSync(directory).mode & 0o777).toString(8);
    throw new BrokerError(
      "config",
      `Cannot log in "${directory}": its mode is 0${mode}, wanted 0700; run chmod 700 on it`,
    );
  }
}

/**
 * Puts a log aside when it has grown; only the very file that has, since another broker may have done so in between.
 *
 * @param fd What the path was opened as.
 */
export function putAside(path: string, fd: number, bytesMax: number): void {
  const { size, ino, dev } = fstatSync(fd);
  if (size < bytesMax) return;
  try {
    const found = lstatSync(path);
    if (found.ino === ino && found.dev === dev) renameSync(path, `${path}.1`);
  } catch (error) {
    if (osErrorCode(error) !== "ENOENT") throw error;
  }
}
