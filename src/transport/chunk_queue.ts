// This module has no I/O.
import type { CancelSignal } from "../cancel_signal.ts";
import { BrokerError } from "../errors.ts";

interface Waiter {
  resolve(chunk: Uint8Array | null): void;
  reject(error: unknown): void;
}

/**
 * What arrived and was not read yet, between a runtime that pushes and a reader that pulls.
 *
 * The end and an error are delivered behind everything that came before them.
 */
export class ChunkQueue {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #end: { error?: unknown } | undefined;
  #waiter: Waiter | undefined;

  /** Bytes that wait for a reader. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Puts a chunk behind the others; dropped when it is empty or comes after the end. It must not be reused. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#end !== undefined) return;
    const waiter = this.#take();
    if (waiter !== undefined) return waiter.resolve(chunk);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** Puts bytes back in front, also after the end. They must not be reused. */
  unshift(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.unshift(chunk);
    this.#bytes += chunk.length;
  }

  /** Nothing follows; with `error`, reading fails once the queue is empty. The first call counts. */
  end(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    const waiter = this.#take();
    if (waiter === undefined) return;
    if (error === undefined) waiter.resolve(null);
    else waiter.reject(error);
  }

  /** Drops what waits: nobody will read it. */
  clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }

  /** The next chunk, `null` at the end. One reader at a time. */
  read(signal?: CancelSignal): Promise<Uint8Array | null> {
    if (this.#waiter !== undefined) {
      return Promise.reject(
        new BrokerError("closed", "Cannot read: another read of this stream is under way"),
      );
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bytes -= chunk.length;
      return Promise.resolve(chunk);
    }
    if (this.#end !== undefined) {
      return "error" in this.#end ? Promise.reject(this.#end.error) : Promise.resolve(null);
    }
    return this.#wait(signal);
  }

  #wait(signal: CancelSignal | undefined): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiter = undefined;
        reject(signal!.reason);
      };
      const settle = () => signal?.removeEventListener("abort", abort);
      this.#waiter = {
        resolve: (chunk) => (settle(), resolve(chunk)),
        reject: (error) => (settle(), reject(error)),
      };
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  #take(): Waiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    return waiter;
  }
}
