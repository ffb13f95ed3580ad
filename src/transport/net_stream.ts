import type { CancelSignal } from "../cancel_signal.ts";
import type { Socket } from "node:net";
import { BrokerError } from "../errors.ts";
import { ChunkQueue } from "./chunk_queue.ts";
import { isPeerGone, streamError } from "./os_error.ts";
import { socketFd } from "./socket_fd.ts";
import type { ShownStream } from "./shown_stream.ts";

/** Above this many unread bytes the kernel's own buffer holds the rest, so a slow reader slows its writer. */
const READ_AHEAD_BYTES_MAX = 256 * 1024;

/** A {@linkcode LocalStream} over a socket of `node:net`, which all three runtimes have. */
export class NetStream implements ShownStream {
  /** Settles when the socket is gone, never rejects. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #queue = new ChunkQueue();
  #error: unknown;
  #reading = false;

  /**
   * Takes a socket over.
   *
   * @param socket Paused or flowing; owned by this stream from now on.
   */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", (error) => this.#error ??= error);
    socket.on("end", () => this.#queue.end());
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        const lost = this.#error !== undefined;
        this.#queue.end(lost ? streamError("read", this.#error) : undefined);
        resolve();
      });
    });
  }

  /** The descriptor, to use but not to close; `undefined` when there is none any more. */
  get fd(): number | undefined {
    return this.#socket.destroyed ? undefined : socketFd(this.#socket);
  }

  read(signal?: CancelSignal): Promise<Uint8Array | null> {
    if (!this.#reading) this.#startReading();
    else if (this.#socket.isPaused() && this.#queue.bytes < READ_AHEAD_BYTES_MAX) this.#socket.resume();
    return this.#queue.read(signal);
  }

  unread(bytes: Uint8Array): void {
    this.#queue.unshift(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      // The runtime would take a write behind the end for a reason to give up the other direction, too.
      if (socket.destroyed || socket.writableEnded) return reject(this.#gone("write"));
      let isTaken = false;
      socket.write(bytes, (error) => {
        if (error) reject(streamError("write", this.#error ?? error));
        // Node 20 tells no error of a write that the end of its socket cut off.
        else if (socket.destroyed && !isTaken) reject(this.#gone("write"));
        else resolve();
      });
      isTaken = socket.writableLength === 0;
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed || this.#socket.writableEnded) return resolve();
      const failed = () => this.#error !== undefined && !isPeerGone(this.#error);
      const settle = () => failed() ? reject(streamError("end", this.#error)) : resolve();
      this.#socket.once("close", settle);
      this.#socket.end(() => {
        this.#socket.off("close", settle);
        settle();
      });
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#queue.clear();
    this.#queue.end();
  }

  #startReading(): void {
    this.#reading = true;
    this.#socket.on("data", (chunk: Uint8Array) => {
      this.#queue.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      if (this.#queue.bytes >= READ_AHEAD_BYTES_MAX) this.#socket.pause();
    });
    this.#socket.resume();
  }

  #gone(act: string): BrokerError {
    if (this.#error !== undefined) return streamError(act, this.#error);
    return new BrokerError("closed", `Cannot ${act}: the connection is closed`);
  }
}
