import type { Socket } from "node:net";
import type { Native } from "../../../ffi/native.ts";
import { BrokerError } from "../../errors.ts";
import type { ListeningServer, ServerHooks } from "../listening_server.ts";
import { adoptSocketFd } from "../socket_fd.ts";
import type { AcceptedEnd, EndReader } from "./detached_end.ts";

/** The part of a connection accepted by Bun that is used here. */
interface BunAccepted {
  readonly fd: number;
  data: BunEnd | undefined;
  pause(): void;
  resume(): void;
  terminate(): void;
}

interface BunListener {
  readonly fd: number;
  stop(): void;
}

interface BunListen {
  listen(options: {
    unix: string;
    allowHalfOpen: true;
    socket: {
      binaryType: "uint8array";
      open(socket: BunAccepted): void;
      data(socket: BunAccepted, chunk: Uint8Array): void;
      end(socket: BunAccepted): void;
      error(socket: BunAccepted, error: unknown): void;
      close(socket: BunAccepted): void;
    };
  }): BunListener;
}

/** A listening socket of Bun itself: accepting costs it a quarter less than a server of `node:net`. */
export class BunServer implements ListeningServer {
  readonly #native: Native;
  readonly #hooks: ServerHooks<AcceptedEnd>;
  #listener: BunListener | undefined;

  /** Makes a server that does not listen yet. */
  constructor(native: Native, hooks: ServerHooks<AcceptedEnd>) {
    this.#native = native;
    this.#hooks = hooks;
  }

  get fd(): number {
    if (this.#listener !== undefined) return this.#listener.fd;
    throw new BrokerError("closed", "Cannot use a listener that was closed");
  }

  listen(path: string): Promise<void> {
    const { listen } = (globalThis as unknown as { Bun: BunListen }).Bun;
    try {
      this.#listener = listen({
        unix: path,
        allowHalfOpen: true,
        socket: {
          binaryType: "uint8array",
          open: (socket) => this.#open(socket),
          data: (socket, chunk) => socket.data?.reader?.data(chunk),
          end: (socket) => socket.data?.reader?.end(),
          error: (socket, error) => socket.data?.reader?.failed(error),
          close: (socket) => socket.data?.lost(),
        },
      });
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  close(): void {
    this.#listener?.stop();
    this.#listener = undefined;
  }

  #open(socket: BunAccepted): void {
    // Never resumed: measured, Bun then reads nothing from it.
    socket.pause();
    const end = new BunEnd(this.#native, socket);
    socket.data = end;
    try {
      this.#hooks.accepted(end);
    } catch {
      // Gone before it was looked at: a descriptor that is no longer there belongs to nobody.
      end.close();
    }
  }
}

/** The end of a connection that Bun accepted and does not read. */
class BunEnd implements AcceptedEnd {
  reader: EndReader | undefined;
  readonly #native: Native;
  #socket: BunAccepted | undefined;

  constructor(native: Native, socket: BunAccepted) {
    this.#native = native;
    this.#socket = socket;
  }

  get fd(): number {
    const fd = this.#socket?.fd ?? -1;
    if (fd >= 0) return fd;
    throw new BrokerError("closed", "Cannot use a connection that was closed or given up");
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }

  intoSocket(): Socket {
    const copy = this.#native.sockets.duplicateFd(this.fd);
    this.close();
    if (copy.ok) return adoptSocketFd(copy.fd);
    throw new BrokerError("os", `Cannot read a connection: dup returned ${copy.name}`);
  }

  readBy(reader: EndReader): void {
    this.reader = reader;
    if (this.#socket === undefined) reader.closed();
    else this.#socket.resume();
  }

  /** Bun has closed it, because its peer is gone or since it was told to. */
  lost(): void {
    this.#socket = undefined;
    this.reader?.closed();
  }
}
