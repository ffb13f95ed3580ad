import { concatBytes } from "../wire/bytes.ts";

/** ACKs that leave in one write at most. */
const BATCH_MAX = 64;
/** Milliseconds an ACK may wait for others: it frees an entry in the broker's books, and nobody waits for it. */
const BATCH_MS = 20;

/** Collects ACKs, so that answering the broker does not cost its clients and ours a turn each. */
export class AckBatch {
  readonly #write: (bytes: Uint8Array) => void;
  #frames: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Collects for a writer that does not throw. */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Adds a frame; it leaves soon. */
  add(frame: Uint8Array): void {
    this.#frames.push(frame);
    if (this.#frames.length >= BATCH_MAX) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  /** Writes what was collected. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    this.#write(frames.length === 1 ? frames[0]! : concatBytes(...frames));
  }
}
