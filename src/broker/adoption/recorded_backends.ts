import type { CancelSignal } from "../../cancel_signal.ts";
import { BrokerError } from "../../errors.ts";
import type { RegisteredBackend } from "../backend_registry.ts";
import type { BrokerObserver } from "../broker_event.ts";
import { errorDetail } from "../error_detail.ts";
import { type BackendRecord, type RecordedCommand, recordOf } from "./backend_record.ts";
import { readRecord, type RecordFolder, removeRecord } from "./record_folder.ts";
import { removeDeadEndpoint } from "./remove_dead_endpoint.ts";
import { type RecordReview, type ReviewParts, reviewRecord } from "./review_record.ts";

/** What the backends on record need. */
export interface RecordedBackendsParts extends ReviewParts {
  /** Where this broker's records are. */
  readonly folder: RecordFolder;
  /** Told of records that cannot be used or written. */
  readonly observe: BrokerObserver;
}

/**
 * What a record's backend would be started as now, or why it is not wanted any more. Rejects when that cannot be
 * told.
 */
export type WantedCommand = (
  record: BackendRecord,
) => Promise<RecordedCommand | { readonly unwanted: string }>;

/** The backends that this broker, or another one before it, has launched and left on record. */
export class RecordedBackends {
  readonly #parts: RecordedBackendsParts;

  /** Makes them; nothing is read yet. */
  constructor(parts: RecordedBackendsParts) {
    this.#parts = parts;
  }

  /** Puts a backend on record. One that cannot be recorded serves all the same; only no later broker finds it. */
  async keep(backend: RegisteredBackend, command: RecordedCommand): Promise<void> {
    const { folder, observe } = this.#parts;
    try {
      await folder.write(recordOf(backend, command));
    } catch (error) {
      const { service, version } = backend.key;
      observe({ kind: "backend-record-unwritten", service, version, detail: errorDetail(error) });
    }
  }

  /** Takes a backend whose process has ended off the record. */
  forget({ key, process }: Pick<RegisteredBackend, "key" | "process">): void {
    this.#parts.folder.forget(key, process);
  }

  /**
   * The backend of a record, if it still serves. One of no use goes, and its sockets when nobody serves them.
   *
   * @param path The file of the record.
   * @param wanted Says what the backend has to be.
   * @param signal Ends the search; what was not decided by then stays on record.
   */
  async find(
    path: string,
    wanted: WantedCommand,
    signal: CancelSignal,
  ): Promise<RegisteredBackend | undefined> {
    let record: BackendRecord | undefined;
    let review: RecordReview;
    try {
      record = await readRecord(path);
      if (record === undefined) return undefined;
      review = await this.#review(record, wanted, signal);
    } catch (error) {
      const isNoRecord = record === undefined && BrokerError.is(error) && error.code === "protocol";
      review = { kind: isNoRecord ? "stale" : "silent", detail: errorDetail(error) };
    }
    if (review.kind === "live") return review.backend;
    if (review.kind === "stale") await this.#discard(path, record);
    const { service = "", version = "" } = record?.key ?? {};
    this.#parts.observe({
      kind: "backend-record-stale",
      record: path,
      service,
      version,
      detail: review.detail,
    });
    return undefined;
  }

  async #review(record: BackendRecord, wanted: WantedCommand, signal: CancelSignal): Promise<RecordReview> {
    const command = await wanted(record);
    if ("unwanted" in command) return { kind: "stale", detail: command.unwanted };
    return await reviewRecord(this.#parts, record, command, signal);
  }

  /** What another broker has on record is that broker's to remove. */
  async #discard(path: string, record: BackendRecord | undefined): Promise<void> {
    const { folder } = this.#parts;
    if (!path.startsWith(`${folder.path}/`)) return;
    // The sockets first: without the record nobody would know of them.
    for (const endpoint of [record?.endpoint, record?.handoffEndpoint]) {
      if (endpoint !== undefined) await removeDeadEndpoint(endpoint);
    }
    await removeRecord(path).catch(() => {/* the next broker reads it again and says so again */});
  }
}
