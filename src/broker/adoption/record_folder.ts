import { readFileSync, unlinkSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../../host/atomic_file.ts";
import { readBoundedFile } from "../../host/bounded_file.ts";
import { isNotFound } from "../../host/os_error_text.ts";
import type { ProcessIdentity } from "../../host/process_start.ts";
import { hash16 } from "../../naming/hash16.ts";
import { ensurePrivateParent } from "../../transport/private_parent.ts";
import { type BackendKey, backendKeyText } from "../backend_registry.ts";
import { type BackendRecord, parseRecord, renderRecord } from "./backend_record.ts";

/** The largest file believed to be a record: an identity, a few paths and a command line. */
const RECORD_BYTES_MAX = 256 * 1024;
const RECORD_NAME = /^[0-9a-f]{16}\.json$/;

/**
 * The records of the backends that the brokers of one endpoint have launched: a folder of this user alone beside
 * the broker's socket, a file (0600) for each key.
 *
 * In Deno it requires `--allow-read` and `--allow-write` for the folder.
 */
export class RecordFolder {
  /** The folder; missing as long as nothing was launched. */
  readonly path: string;

  /** The folder that belongs to a broker's endpoint. */
  constructor(brokerEndpoint: string) {
    this.path = `${brokerEndpoint}.backends`;
  }

  /** Where the record of a key is. */
  pathOf(key: BackendKey): string {
    return join(this.path, `${hash16(backendKeyText(key))}.json`);
  }

  /**
   * Writes a record, whole and on the disk.
   *
   * @throws {BrokerError} With code "config" when the folder is open to others. Errors of the system are passed on.
   */
  async write(record: BackendRecord): Promise<void> {
    const path = this.pathOf(record.key);
    await ensurePrivateParent(path);
    await writeFileAtomically(path, renderRecord(record));
  }

  /** The files that may be records, in no order; none when there is no folder. */
  async list(): Promise<string[]> {
    try {
      const names = await readdir(this.path);
      if (names.length > 0) await ensurePrivateParent(join(this.path, "_"));
      return names.filter((name) => RECORD_NAME.test(name)).map((name) => join(this.path, name));
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }

  /**
   * Removes the record of a process that has ended, in one turn: what a successor wrote for its own stays.
   */
  forget(key: BackendKey, process: ProcessIdentity): void {
    const path = this.pathOf(key);
    try {
      const found = parseRecord(readFileSync(path, "utf8")).process;
      if (found.pid === process.pid && found.startMark === process.startMark) unlinkSync(path);
    } catch {
      // Not there, or no record: whoever reads it next says so.
    }
  }
}

/**
 * Reads a record.
 *
 * @returns `undefined` when there is none.
 * @throws {BrokerError} With code "protocol" when the file is none. Errors of the system are passed on.
 */
export async function readRecord(path: string): Promise<BackendRecord | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readBoundedFile(path, RECORD_BYTES_MAX);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  return parseRecord(new TextDecoder().decode(bytes));
}

/** Removes a record that names nobody. */
export async function removeRecord(path: string): Promise<void> {
  await rm(path, { force: true });
}
