import type { CancelSignal } from "../../cancel_signal.ts";
import { BrokerError } from "../../errors.ts";
import { ChunkQueue } from "../chunk_queue.ts";
import { connectError } from "../connect_net.ts";
import { withDeadline } from "../deadline.ts";
import type { WaitOptions } from "../wait_options.ts";
import { streamError } from "../os_error.ts";
import type { ShownStream } from "../shown_stream.ts";

/** The part of Bun's native socket that is used here. */
interface BunSocket {
  /** The descriptor; -1 once it is closed. */
  readonly fd: number;
  write(bytes: Uint8Array): number;
  /** Ends our direction only; with `true`, which is not used here, both. */
  shutdown(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}

interface BunSocketHandler {
  binaryType: "uint8array";
  open(socket: BunSocket): void;
  data(socket: BunSocket, chunk: Uint8Array): void;
  drain(socket: BunSocket): void;
  end(socket: BunSocket): void;
  close(socket: BunSocket): void;
  error(socket: BunSocket, error: unknown): void;
}

interface BunConnect {
  connect(
    options: ({ unix: string } | { fd: number }) & { allowHalfOpen: true; socket: BunSocketHandler },
  ): Promise<BunSocket>;
}

/** Above this many unread bytes the kernel's own buffer holds the rest, so a slow reader slows its writer. */
const READ_AHEAD_BYTES_MAX = 256 * 1024;

/**
 * Connects by `Bun.connect`, which costs the client less than `node:net`.
 *
 * @throws {BrokerError} With code "os" (the runtime's error is the cause), "deadline", or the abort reason.
 */
export function connectBun(path: string, options: WaitOptions): Promise<BunStream> {
  const { connect } = (globalThis as unknown as { Bun: BunConnect }).Bun;
  return withDeadline(`connect to "${path}"`, options, (signal) =>
    new Promise((resolve, reject) => {
      const stream = new BunStream();
      signal.addEventListener("abort", () => (stream.close(), reject(signal.reason)), { once: true });
      connect({ unix: path, allowHalfOpen: true, socket: stream.handler() }).then(
        () => resolve(stream),
        (error) => reject(connectError(path, error)),
      );
    }));
}

/**
 * Makes an open descriptor of a connected socket a stream, which owns it from now on; costs half of what a socket of
 * `node:net` does.
 *
 * @throws {BrokerError} With code "os" when Bun refuses it; the descriptor then is still the caller's.
 */
export function adoptBun(fd: number): ShownStream {
  const { connect } = (globalThis as unknown as { Bun: BunConnect }).Bun;
  const stream = new BunStream();
  const connected = connect({ fd, allowHalfOpen: true, socket: stream.handler() });
  // Told below: measured, Bun opens what it takes before it returns.
  connected.catch(() => {});
  if (stream.fd !== undefined) return stream;
  throw new BrokerError("os", `Cannot adopt fd ${fd}: it is no connected socket`);
}

interface PendingWrite {
  rest: Uint8Array;
  resolve(): void;
  reject(error: unknown): void;
}

/** A {@linkcode ShownStream} over a native socket of Bun. */
export class BunStream implements ShownStream {
  readonly closed: Promise<void>;
  readonly #queue = new ChunkQueue();
  readonly #writes: PendingWrite[] = [];
  #socket: BunSocket | undefined;
  #paused = false;
  #isEnded = false;
  #isClosed = false;
  #error: unknown;
  #settleClosed!: () => void;

  constructor() {
    this.closed = new Promise((resolve) => this.#settleClosed = resolve);
  }

  /** The descriptor, to use but not to close; `undefined` when there is none any more. */
  get fd(): number | undefined {
    return this.#isClosed ? undefined : this.#socket?.fd;
  }

  handler(): BunSocketHandler {
    return {
      binaryType: "uint8array",
      open: (socket) => {
        this.#socket = socket;
        if (this.#isClosed) socket.terminate();
      },
      data: (socket, chunk) => this.#receive(socket, chunk),
      drain: () => this.#flush(),
      end: () => this.#queue.end(),
      close: () => this.#lost(),
      error: (_socket, error) => this.#error ??= error,
    };
  }

  read(signal?: CancelSignal): Promise<Uint8Array | null> {
    if (this.#paused && this.#queue.bytes < READ_AHEAD_BYTES_MAX) {
      this.#paused = false;
      this.#socket?.resume();
    }
    return this.#queue.read(signal);
  }

  unread(bytes: Uint8Array): void {
    this.#queue.unshift(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed || this.#isEnded || this.#socket === undefined) {
      return Promise.reject(this.#gone("write"));
    }
    if (this.#writes.length > 0) return this.#queueWrite(bytes);
    const sent = this.#socket.write(bytes);
    if (sent < 0) return Promise.reject(this.#gone("write"));
    return sent === bytes.length ? Promise.resolve() : this.#queueWrite(bytes.subarray(sent));
  }

  async closeWrite(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await this.#queueWrite(new Uint8Array(0));
    if (!this.#isClosed) this.#socket?.shutdown();
  }

  close(): void {
    this.#queue.clear();
    this.#socket?.terminate();
    this.#lost();
  }

  #receive(socket: BunSocket, chunk: Uint8Array): void {
    this.#queue.push(chunk);
    if (this.#queue.bytes < READ_AHEAD_BYTES_MAX || this.#paused) return;
    this.#paused = true;
    socket.pause();
  }

  #queueWrite(rest: Uint8Array): Promise<void> {
    if (rest.length === 0 && this.#writes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => this.#writes.push({ rest, resolve, reject }));
  }

  #flush(): void {
    for (let next = this.#writes[0]; next !== undefined; next = this.#writes[0]) {
      const sent = next.rest.length === 0 ? 0 : this.#socket!.write(next.rest);
      if (sent < 0) return;
      next.rest = next.rest.subarray(sent);
      if (next.rest.length > 0) return;
      this.#writes.shift();
      next.resolve();
    }
  }

  #lost(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const write of this.#writes.splice(0)) write.reject(this.#gone("write"));
    this.#queue.end(this.#error === undefined ? undefined : streamError("read", this.#error));
    this.#settleClosed();
  }

  #gone(act: string): BrokerError {
    if (this.#error !== undefined) return streamError(act, this.#error);
    return new BrokerError("closed", `Cannot ${act}: the connection is closed`);
  }
}
