import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { isNotFound, osErrorText } from "../../host/os_error_text.ts";
import type { FileLockOutcome } from "../../transport/transport.ts";
import { SpawnLockError } from "./spawn_lock_error.ts";

/** The most that a note is believed to have: a path. */
const NOTE_BYTES_MAX = 4_096;

/**
 * The right to start one backend, among all brokers of this user (protocol 6.10).
 *
 * It ends with {@linkcode SpawnLock.[Symbol.dispose]} or with this process, however that ends; no child has it.
 * The file stays: whoever deleted it would let two holders in.
 */
export class SpawnLock implements Disposable {
  readonly #fd: number;
  #isReleased = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Takes a lock, if it is free. Never waits.
   *
   * In Deno it requires `--allow-read` and `--allow-write` for the path.
   *
   * @param path The lock's file, in a directory of this user alone; made (0600) when it is missing.
   * @param lockFile Locks an open file for its holder alone and keeps it from children.
   * @throws {SpawnLockError} When it is not free or cannot be had.
   */
  static acquire(path: string, lockFile: (fd: number) => FileLockOutcome): SpawnLock {
    const fd = open(path);
    try {
      const outcome = lockFile(fd);
      if (outcome.kind === "held") {
        throw new SpawnLockError("AlreadyLocked", path, "is held by another broker");
      }
      if (outcome.kind === "failed") {
        throw new SpawnLockError("Lock", path, `cannot be locked: ${outcome.detail}`);
      }
      requireSameFile(fd, path);
      return new SpawnLock(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** What the last holder left in the file; empty when nobody did. */
  readNote(): string {
    const buffer = new Uint8Array(NOTE_BYTES_MAX);
    return new TextDecoder().decode(buffer.subarray(0, readSync(this.#fd, buffer, 0, buffer.length, 0)));
  }

  /** Leaves something in the file for the next holder. */
  writeNote(text: string): void {
    ftruncateSync(this.#fd, 0);
    const bytes = new TextEncoder().encode(text);
    writeSync(this.#fd, bytes, 0, bytes.length, 0);
  }

  /** Gives the lock up. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    closeSync(this.#fd);
  }
}

function open(path: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  try {
    return openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (cause) {
    throw new SpawnLockError("Open", path, `cannot be opened: ${osErrorText(cause)}`, { cause });
  }
}

/** A lock on a file that lost its path excludes nobody. */
function requireSameFile(fd: number, path: string): void {
  try {
    const [locked, there] = [fstatSync(fd, { bigint: true }), lstatSync(path, { bigint: true })];
    if (locked.dev === there.dev && locked.ino === there.ino) return;
  } catch (cause) {
    if (!isNotFound(cause)) {
      throw new SpawnLockError("Identity", path, `cannot be looked at: ${osErrorText(cause)}`, { cause });
    }
  }
  throw new SpawnLockError("DeletedOrRecreated", path, "was deleted or made anew while it was taken");
}
