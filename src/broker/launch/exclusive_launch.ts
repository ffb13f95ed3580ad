import { isAbsolute, join } from "node:path";
import type { CancelSignal } from "../../cancel_signal.ts";
import { hash16 } from "../../naming/hash16.ts";
import { ensurePrivateParent } from "../../transport/private_parent.ts";
import type { Transport } from "../../transport/transport.ts";
import type { RecordFolder } from "../adoption/record_folder.ts";
import type { RecordedBackends, WantedCommand } from "../adoption/recorded_backends.ts";
import type { BackendRequest } from "../backend_source.ts";
import { backendKeyText, type RegisteredBackend } from "../backend_registry.ts";
import type { Clock } from "../clock.ts";
import { launchCommand } from "./launch_command.ts";
import { sleep } from "../../sleep.ts";
import { SpawnLock } from "./spawn_lock.ts";
import { SpawnLockError } from "./spawn_lock_error.ts";
import { nextSpawnWaitStep, SPAWN_WAIT_CEILING_MS } from "./spawn_wait.ts";

/** What launching one backend at a time among all brokers of a user needs. */
export interface ExclusiveLaunchParts {
  /** Locks files. */
  readonly transport: Pick<Transport, "lockFile">;
  /** The folder of the locks, of this user alone; the same for all brokers. */
  readonly lockFolder: string;
  /** Where this broker's records are. */
  readonly folder: RecordFolder;
  /** The backends on record. */
  readonly records: RecordedBackends;
  /** Where an interpreter that a definition only names is looked for. */
  readonly searchPath: string;
  /** The broker's monotonic clock, in milliseconds. */
  readonly clock: Clock;
  /** Fires when the broker stops for good. */
  readonly signal: CancelSignal;
  /** Milliseconds to wait for another broker's launch. @default {60000} */
  readonly ceilingMs?: number;
  /** Starts a backend, lets it prove itself and puts it on record. */
  spawn(request: BackendRequest): Promise<RegisteredBackend>;
}

/** Launches a backend while no other broker launches the same one, and not if one on record serves (protocol 6.10). */
export class ExclusiveLaunch {
  readonly #parts: ExclusiveLaunchParts;

  /** Makes it; no lock is taken yet. */
  constructor(parts: ExclusiveLaunchParts) {
    this.#parts = parts;
  }

  /**
   * Launches the backend of a key, or finds the one that serves already; that one is `adopted`.
   *
   * @throws {SpawnLockError} Of kind "AlreadyLocked" when another broker is at it all the time.
   * @throws {BrokerError} When it cannot be launched.
   */
  async launch(request: BackendRequest): Promise<RegisteredBackend> {
    const { folder, spawn } = this.#parts;
    const { lock, hasWaited } = await this.#lock(request);
    try {
      const ownRecord = folder.pathOf(request.key);
      // Whoever had the lock until now has just launched what is wanted here, or failed to.
      const note = hasWaited ? lock.readNote() : "";
      for (const path of new Set([ownRecord, note].filter(isAbsolute))) {
        const found = await this.#find(path, request);
        if (found !== undefined) return found;
      }
      lock.writeNote(ownRecord);
      return await spawn(request);
    } finally {
      lock[Symbol.dispose]();
    }
  }

  #find(path: string, { key, definition }: BackendRequest): Promise<RegisteredBackend | undefined> {
    const { records, searchPath, signal } = this.#parts;
    const wanted: WantedCommand = (record) =>
      backendKeyText(record.key) === backendKeyText(key)
        ? launchCommand(definition, searchPath)
        : Promise.resolve({ unwanted: "it is the record of another backend" });
    return records.find(path, wanted, signal);
  }

  async #lock({ key }: BackendRequest): Promise<{ lock: SpawnLock; hasWaited: boolean }> {
    const { transport, lockFolder, clock, signal, ceilingMs = SPAWN_WAIT_CEILING_MS } = this.#parts;
    const path = join(lockFolder, `${hash16(backendKeyText(key))}.lock`);
    await ensurePrivateParent(path);
    const startMs = clock();
    for (let sleeps = 0;; sleeps++) {
      try {
        return { lock: SpawnLock.acquire(path, (fd) => transport.lockFile(fd)), hasWaited: sleeps > 0 };
      } catch (error) {
        if (!(error instanceof SpawnLockError) || !AGAIN.has(error.kind)) throw error;
        const state = { isEndpointReady: false, hasExited: false, elapsedMs: clock() - startMs, sleeps };
        const step = nextSpawnWaitStep(state, ceilingMs);
        if (step.kind !== "sleep") throw error;
        await sleep(step.sleepMs, signal);
      }
    }
  }
}

/** What may be otherwise in a moment. */
const AGAIN: ReadonlySet<string> = new Set(["AlreadyLocked", "DeletedOrRecreated"]);
