import { concatBytes } from "../wire/bytes.ts";
import { encodeHandoffAck } from "../wire/handoff_frames.ts";

/** ACKs that leave in one write at most. */
const BATCH_MAX = 64;
/** Milliseconds an ACK may wait for others: it frees an entry in the broker's books, and nobody waits for it. */
const BATCH_MS = 20;

/** What an ACK says, to be encoded when it leaves. */
export type PendingAck = Parameters<typeof encodeHandoffAck>[0];

/** Collects ACKs, so that answering the broker does not cost its clients and ours a turn each. */
export class AckBatch {
  readonly #write: (bytes: Uint8Array) => void;
  #acks: PendingAck[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Collects for a writer that does not throw. */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Adds one; it leaves soon. Its bytes must not be reused. */
  add(ack: PendingAck): void {
    this.#acks.push(ack);
    if (this.#acks.length >= BATCH_MAX) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  /** Writes what was collected. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const acks = this.#acks;
    if (acks.length === 0) return;
    this.#acks = [];
    this.#write(concatBytes(...acks.map(encodeHandoffAck)));
  }
}
