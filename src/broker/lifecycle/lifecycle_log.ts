// This module has no I/O.
import type { LifecycleEvent } from "../../wire/gen/broker_v1_manifest_pb.ts";
import type { SortedJsonObject } from "../admin/sorted_json.ts";
import type { BrokerEvent } from "../broker_event.ts";
import { errorDetail } from "../error_detail.ts";
import { brokerStopped, type LifecycleContext, lifecycleEvent } from "./lifecycle_event.ts";
import { fitLifecycleEvent, lifecycleJson, lifecycleLine } from "./lifecycle_line.ts";

/** Events that operators see without a file: what happened lately, and a page of text. */
export const RECENT_EVENTS_MAX = 64;

/** What a log needs. */
export interface LifecycleLogParts {
  /** Who writes, and the time. */
  readonly context: () => LifecycleContext;
  /** Appends a line to the file; `undefined` keeps events in memory only. May throw. */
  readonly append: ((line: Uint8Array) => void) | undefined;
  /** Told why the file cannot be written, the first time. */
  readonly failed: (detail: string) => void;
}

/** Notes what becomes of backends and of the broker: the last events in memory, all of them in a file. */
export class LifecycleLog {
  readonly #parts: LifecycleLogParts;
  readonly #recent: LifecycleEvent[] = [];
  #hasFailed = false;

  /** Makes an empty log. */
  constructor(parts: LifecycleLogParts) {
    this.#parts = parts;
  }

  /** Notes an event, if it is one of a life. Never throws. */
  take(event: BrokerEvent): void {
    const noted = lifecycleEvent(event, this.#parts.context());
    if (noted !== undefined) this.#note(noted);
  }

  /** Notes the end of the broker. Never throws. */
  stopped(): void {
    this.#note(brokerStopped(this.#parts.context()));
  }

  /** The last events, oldest first, as operators see them. */
  recent(): SortedJsonObject[] {
    return this.#recent.map(lifecycleJson);
  }

  #note(event: LifecycleEvent): void {
    const noted = fitLifecycleEvent(event);
    if (this.#recent.push(noted) > RECENT_EVENTS_MAX) this.#recent.shift();
    try {
      this.#parts.append?.(lifecycleLine(noted));
    } catch (error) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      this.#parts.failed(errorDetail(error));
    }
  }
}
