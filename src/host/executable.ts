import { createHash } from "node:crypto";
import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createBLAKE3 } from "hash-wasm";
import { BrokerError } from "../errors.ts";
import type { DigestAlgorithm } from "./daemon_digest.ts";
import { type FileIdentity, fileIdentity, fileKey, isSameFile, isSettled } from "./file_identity.ts";
import { osErrorText } from "./os_error_text.ts";
import { openForReading, type ReadableFile } from "./proc_access.ts";
import { type SystemAccess, systemAccess } from "./system_access.ts";

/** Bytes hashed between two turns of the event loop: below 2 ms for the slower algorithm. */
const STEP_BYTES = 256 * 1024;

/** Digests kept; a broker meets a few executables, and the oldest is the least wanted. */
const DIGESTS_MAX = 64;

/** A digest as it grows. */
interface Digester {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/**
 * The path of the executable that runs this process, as the system reports it (protocol 8.2).
 *
 * For a script that is the interpreter's path.
 */
export async function ownExecutablePath(system: SystemAccess = systemAccess): Promise<string> {
  if (system.platform !== "linux") return process.execPath;
  try {
    return await system.readLink("/proc/self/exe");
  } catch {
    // Where /proc may not be read, the runtime's own record of the same link is as good.
    return process.execPath;
  }
}

/**
 * Hashes executables, each state of a file once.
 *
 * A digest is kept by the file's device, inode, size and times. The file is read in steps, so that the event
 * loop never waits for more than one of them.
 */
export class ExecutableHasher {
  readonly #digests = new Map<string, Uint8Array>();
  readonly #running = new Map<string, Promise<Uint8Array>>();
  readonly #nowMs: () => number;
  #hashedCount = 0;

  /**
   * Makes a hasher that has hashed nothing yet.
   *
   * @param nowMs The clock of file times: milliseconds since the Unix epoch.
   */
  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  /** How many files were read so far. */
  get hashedCount(): number {
    return this.#hashedCount;
  }

  /**
   * The digest of a file.
   *
   * @param path The file. In Deno it requires `--allow-read` for it.
   * @param algorithm Which digest.
   * @returns 32 bytes of the caller's own.
   * @throws {BrokerError} With code "os" when the file cannot be read, or changes meanwhile.
   */
  async digest(path: string, algorithm: DigestAlgorithm): Promise<Uint8Array> {
    try {
      const file = await openForReading(path);
      try {
        const identity = fileIdentity(await file.stat({ bigint: true }));
        return (await this.#shared(file, identity, algorithm)).slice();
      } finally {
        await file.close();
      }
    } catch (error) {
      if (BrokerError.is(error)) throw error;
      throw new BrokerError("os", `Cannot hash "${path}": ${osErrorText(error)}`, { cause: error });
    }
  }

  async #shared(file: ReadableFile, identity: FileIdentity, algorithm: DigestAlgorithm): Promise<Uint8Array> {
    const key = `${algorithm}:${fileKey(identity)}`;
    const known = this.#digests.get(key) ?? this.#running.get(key);
    if (known !== undefined) return await known;
    const running = this.#hash(file, identity, algorithm, key);
    this.#running.set(key, running);
    try {
      return await running;
    } finally {
      this.#running.delete(key);
    }
  }

  async #hash(
    file: ReadableFile,
    identity: FileIdentity,
    algorithm: DigestAlgorithm,
    key: string,
  ): Promise<Uint8Array> {
    this.#hashedCount += 1;
    const startedMs = this.#nowMs();
    const digest = await hashFile(file, algorithm);
    if (!isSameFile(identity, fileIdentity(await file.stat({ bigint: true })))) {
      throw new BrokerError("os", "Cannot hash a file: it changed while it was read");
    }
    if (isSettled(identity, startedMs)) this.#keep(key, digest);
    return digest;
  }

  #keep(key: string, digest: Uint8Array): void {
    const oldest = this.#digests.size < DIGESTS_MAX ? undefined : this.#digests.keys().next().value;
    if (oldest !== undefined) this.#digests.delete(oldest);
    this.#digests.set(key, digest);
  }
}

async function createDigester(algorithm: DigestAlgorithm): Promise<Digester> {
  if (algorithm === "sha256") return createHash("sha256");
  // WebAssembly takes 0.4 s for an executable of 100 MB; the library that hashes names takes 2 s.
  const blake3 = await createBLAKE3();
  return { update: (bytes) => blake3.update(bytes), digest: () => blake3.digest("binary") };
}

async function hashFile(file: ReadableFile, algorithm: DigestAlgorithm): Promise<Uint8Array> {
  const digester = await createDigester(algorithm);
  const buffer = new Uint8Array(STEP_BYTES);
  for (let position = 0;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return new Uint8Array(digester.digest());
    digester.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
    // A runtime may resume several finished reads within one turn of its event loop.
    await nextTurn();
  }
}
