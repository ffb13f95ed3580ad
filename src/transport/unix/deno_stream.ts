import type { CancelSignal } from "../../cancel_signal.ts";
import { BrokerError } from "../../errors.ts";
import { ChunkQueue } from "../chunk_queue.ts";
import { connectError } from "../connect_net.ts";
import { withDeadline } from "../deadline.ts";
import type { WaitOptions } from "../wait_options.ts";
import type { LocalStream } from "../local_stream.ts";
import { streamError } from "../os_error.ts";

/** The part of `Deno.UnixConn` that is used here. */
interface UnixConn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

interface DenoConnect {
  connect(options: { transport: "unix"; path: string }): Promise<UnixConn>;
}

/** Bytes per read, as much as the kernel's socket buffer hands out in one go. */
const READ_BYTES = 64 * 1024;

/**
 * Connects by `Deno.connect`, which costs the client less than `node:net` but shows no descriptor.
 *
 * @throws {BrokerError} With code "os" (the runtime's error is the cause), "deadline", or the abort reason.
 */
export function connectDeno(path: string, options: WaitOptions): Promise<LocalStream> {
  const { connect } = (globalThis as unknown as { Deno: DenoConnect }).Deno;
  return withDeadline(`connect to "${path}"`, options, (signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      connect({ transport: "unix", path }).then((conn) => {
        if (signal.aborted) conn.close();
        else resolve(new DenoStream(conn));
      }, (error) => reject(connectError(path, error)));
    }));
}

class DenoStream implements LocalStream {
  readonly closed: Promise<void>;
  readonly #conn: UnixConn;
  readonly #queue = new ChunkQueue();
  readonly #buffer = new Uint8Array(READ_BYTES);
  #reading = false;
  /** The newest write under way: the runtime would mix the parts of writes that run side by side. */
  #writing: Promise<void> | undefined;
  #isEnding = false;
  #ended = { read: false, write: false };
  #isClosed = false;
  #settleClosed!: () => void;

  constructor(conn: UnixConn) {
    this.#conn = conn;
    this.closed = new Promise((resolve) => this.#settleClosed = resolve);
  }

  read(signal?: CancelSignal): Promise<Uint8Array | null> {
    if (this.#queue.bytes === 0) void this.#pump();
    return this.#queue.read(signal);
  }

  unread(bytes: Uint8Array): void {
    this.#queue.unshift(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed || this.#isEnding) return Promise.reject(gone());
    const before = this.#writing;
    const writing = before === undefined ? this.#writeAll(bytes) : before.then(() => this.#writeAll(bytes));
    this.#writing = writing;
    const settle = () => {
      if (this.#writing === writing) this.#writing = undefined;
    };
    writing.then(settle, settle);
    return writing;
  }

  async closeWrite(): Promise<void> {
    if (this.#isClosed || this.#isEnding) return;
    this.#isEnding = true;
    await this.#writing?.catch(() => {/* told to whoever wrote */});
    try {
      if (!this.#isClosed) await this.#conn.closeWrite();
    } catch (error) {
      throw streamError("end", error);
    } finally {
      this.#ended.write = true;
      this.#closeWhenBothEnded();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
    this.#queue.clear();
    this.#queue.end();
    this.#settleClosed();
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
    } catch (error) {
      throw this.#isClosed ? gone() : streamError("write", error);
    }
  }

  /** One read of the runtime at a time; it outlives an aborted reader and feeds the next one. */
  async #pump(): Promise<void> {
    if (this.#reading || this.#isClosed || this.#ended.read) return;
    this.#reading = true;
    try {
      const length = await this.#conn.read(this.#buffer);
      if (length === null) this.#endReading();
      else this.#queue.push(this.#buffer.slice(0, length));
    } catch (error) {
      this.#endReading(streamError("read", error));
    } finally {
      this.#reading = false;
    }
  }

  #endReading(error?: BrokerError): void {
    this.#ended.read = true;
    this.#queue.end(error);
    this.#closeWhenBothEnded();
  }

  #closeWhenBothEnded(): void {
    if (!this.#ended.read || !this.#ended.write || this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
    this.#settleClosed();
  }
}

function gone(): BrokerError {
  return new BrokerError("closed", "Cannot write: the connection is closed");
}
