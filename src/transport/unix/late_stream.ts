import type { Native } from "../../../ffi/native.ts";
import type { OwnedFd } from "../../../ffi/owned_fd.ts";
import type { CancelSignal } from "../../cancel_signal.ts";
import process from "node:process";
import { setImmediate } from "node:timers";
import { runtime } from "../runtime.ts";
import { BrokerError } from "../../errors.ts";
import { concatBytes } from "../../wire/bytes.ts";
import { streamError } from "../os_error.ts";
import { adoptStream } from "./adopt_stream.ts";
import type { ShownStream } from "../shown_stream.ts";

/** Bun runs ticks among the microtasks that are to come first; elsewhere they cost less than an immediate. */
const afterMicrotasks: (act: () => void) => void = runtime === "bun" ? setImmediate : process.nextTick;

/** What is known of a connection besides its descriptor. */
export interface LateStreamParts {
  /** What was read from it before. */
  readonly residue?: Uint8Array | undefined;
  /** See `PassedConnection.adoptLater`. */
  readonly greeting?: Uint8Array | undefined;
  /** Whether its peer has ended its direction: what is in the kernel is all that will ever come. */
  readonly isLast?: boolean;
}

/** Bytes taken with one direct read. */
const READ_BYTES_MAX = 64 * 1024;

/**
 * A connection that the runtime learns of only when its peer's next bytes have to be waited for.
 *
 * Making a socket of a descriptor costs more than a request and its answer. A request that is here already is
 * answered by a direct send first, so its client need not wait for that; one that its peer has declared to be the
 * last never needs one; a client's first bytes are at their peer before that has accepted it.
 */
export class LateStream implements ShownStream {
  readonly closed: Promise<void>;
  readonly #native: Native;
  readonly #fd: OwnedFd;
  readonly #isLast: boolean;
  /** Bytes in front of those in the kernel. */
  #front: Uint8Array[];
  #greeting: Uint8Array | undefined;
  #stream: ShownStream | undefined;
  readonly #ended = { read: false, write: false };
  #isClosed = false;
  #settleClosed!: () => void;

  /** Takes a descriptor over. */
  constructor(native: Native, fd: OwnedFd, { residue, greeting, isLast = false }: LateStreamParts = {}) {
    this.#native = native;
    this.#fd = fd;
    this.#isLast = isLast;
    this.#front = residue === undefined || residue.length === 0 ? [] : [residue];
    this.closed = new Promise((resolve) => this.#settleClosed = resolve);
    if (greeting === undefined) return;
    this.#greeting = greeting;
    afterMicrotasks(() => this.#greet());
  }

  /** The descriptor, to use but not to close; `undefined` when there is none any more. */
  get fd(): number | undefined {
    if (this.#stream !== undefined) return this.#stream.fd;
    return this.#isClosed ? undefined : this.#fd.fd;
  }

  read(signal?: CancelSignal): Promise<Uint8Array | null> {
    if (this.#stream !== undefined) return this.#readStream(this.#stream, signal);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const chunk = this.#front.shift();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#isClosed || this.#ended.read) return Promise.resolve(null);
    if (this.#isLast) {
      const received = this.#native.sockets.receiveBytes(this.#fd.fd, READ_BYTES_MAX);
      if (received.kind === "data") return Promise.resolve(received.bytes);
      if (received.kind === "eof") {
        this.#end("read");
        return Promise.resolve(null);
      }
    }
    return this.#socketStream((stream) => this.#readStream(stream, signal));
  }

  unread(bytes: Uint8Array): void {
    if (this.#stream !== undefined) this.#stream.unread(bytes);
    else if (bytes.length > 0) this.#front.unshift(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#ended.write) return Promise.reject(gone());
    if (this.#stream !== undefined) return this.#stream.write(bytes);
    if (this.#isClosed) return Promise.reject(gone());
    return this.#send(this.#takeGreeting(bytes));
  }

  #send(bytes: Uint8Array): Promise<void> {
    const sent = this.#native.sockets.sendBytes(this.#fd.fd, bytes);
    if (sent.kind === "error") return Promise.reject(callError("write", sent.name));
    const bytesSent = sent.kind === "sent" ? sent.bytesSent : 0;
    if (bytesSent === bytes.length) return Promise.resolve();
    return this.#socketStream((stream) => stream.write(bytes.subarray(bytesSent)));
  }

  closeWrite(): Promise<void> {
    if (this.#ended.write) return Promise.resolve();
    if (this.#stream !== undefined) return this.#stream.closeWrite();
    if (this.#isClosed) return Promise.resolve();
    this.#greet();
    const ended = this.#native.sockets.shutdownWriting(this.#fd.fd);
    if (!ended.ok) return Promise.reject(callError("end", ended.name));
    this.#end("write");
    return Promise.resolve();
  }

  close(): void {
    if (this.#stream !== undefined) return this.#stream.close();
    if (this.#isClosed) return;
    // Unsent, it would tell a client that it is served which never will be; without it the client asks again.
    this.#greeting = undefined;
    this.#isClosed = true;
    this.#front = [];
    this.#fd.close();
    this.#settleClosed();
  }

  /** A direction ended by a call of our own, which the runtime's stream knows nothing of. */
  #end(direction: "read" | "write"): void {
    this.#ended[direction] = true;
    if (this.#ended.read && this.#ended.write) this.close();
  }

  #readStream(stream: ShownStream, signal: CancelSignal | undefined): Promise<Uint8Array | null> {
    const reading = stream.read(signal);
    if (!this.#ended.write) return reading;
    return reading.then((chunk) => {
      if (chunk === null) this.close();
      return chunk;
    });
  }

  #takeGreeting(bytes: Uint8Array): Uint8Array {
    const greeting = this.#greeting;
    this.#greeting = undefined;
    return greeting === undefined ? bytes : concatBytes(greeting, bytes);
  }

  /** It is short and comes first: there is room for it, or nobody to read it. */
  #greet(): void {
    if (this.#greeting === undefined) return;
    this.#native.sockets.sendBytes(this.#fd.fd, this.#takeGreeting(new Uint8Array(0)));
  }

  /** Lets the runtime have the descriptor; it may refuse what is no connection. */
  #socketStream<T>(use: (stream: ShownStream) => Promise<T>): Promise<T> {
    try {
      this.#greet();
      const stream = adoptStream(this.#fd.fd);
      this.#fd.release();
      for (const chunk of this.#front.splice(0).reverse()) stream.unread(chunk);
      void stream.closed.then(this.#settleClosed);
      this.#stream = stream;
      return use(stream);
    } catch (error) {
      this.close();
      return Promise.reject(error);
    }
  }
}

function gone(): BrokerError {
  return new BrokerError("closed", "Cannot write: the connection is closed");
}

function callError(act: string, name: string): BrokerError {
  return streamError(act, Object.assign(new Error(name), { code: name }));
}
