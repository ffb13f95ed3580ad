import { BrokerError } from "../../src/errors.ts";
import type { CancelSignal } from "../../src/cancel_signal.ts";
import { ChunkQueue } from "../../src/transport/chunk_queue.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { deferred } from "../support/waiting.ts";

/** A stream whose peer is the test: it feeds what is read and sees what is written. */
export class FakeStream implements LocalStream {
  /** What the peer sends; `push` and `end` it. */
  readonly incoming = new ChunkQueue();
  readonly written: Uint8Array[] = [];
  /** How often each was called. */
  readonly calls = { close: 0, closeWrite: 0 };
  readonly closed: Promise<void>;
  /** Set to make writing or ending fail. */
  failure: Error | undefined;
  readonly #closed = deferred<void>();

  constructor(...chunks: readonly Uint8Array[]) {
    this.closed = this.#closed.promise;
    for (const chunk of chunks) this.incoming.push(chunk);
  }

  /** Everything that was written. */
  get sent(): Uint8Array {
    return concatBytes(...this.written);
  }

  read(signal?: CancelSignal): Promise<Uint8Array | null> {
    return this.incoming.read(signal);
  }

  unread(bytes: Uint8Array): void {
    this.incoming.unshift(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.calls.close > 0) return Promise.reject(new BrokerError("closed", "Cannot write: closed"));
    this.written.push(bytes.slice());
    return Promise.resolve();
  }

  closeWrite(): Promise<void> {
    this.calls.closeWrite++;
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }

  close(): void {
    this.calls.close++;
    this.incoming.clear();
    this.incoming.end();
    this.#closed.resolve();
  }
}
