import type { Socket } from "node:net";
import type { OwnedFd } from "../../../ffi/owned_fd.ts";
import { adoptSocketFd, socketFd } from "../socket_fd.ts";

/** The native end of a connection that no event loop reads. It has one owner, who closes it or makes a socket of it. */
export interface DetachedEnd {
  /** The descriptor, to use but not to close. */
  readonly fd: number;
  /** Whether it was neither closed nor made a socket. */
  readonly isOpen: boolean;
  /** Gives it up; a copy that was passed lives on. Idempotent. */
  close(): void;
  /** Lets the runtime have it; the socket owns it from now on. */
  intoSocket(): Socket;
}

/** Told what a runtime reads. */
export interface EndReader {
  /** Bytes that came; only valid during the call. */
  data(chunk: Uint8Array): void;
  /** The peer has ended its direction. */
  end(): void;
  /** Reading failed, with the runtime's error. */
  failed(error: unknown): void;
  /** The connection is closed, by whomever. */
  closed(): void;
}

/** An end that a runtime has accepted and does not read. */
export interface AcceptedEnd extends DetachedEnd {
  /** Lets the runtime read it. It is no bare descriptor from now on: to detach it, copy and close it. */
  readBy(reader: EndReader): void;
}

/** An end that no runtime knows. */
export function ownedEnd(owned: OwnedFd): DetachedEnd {
  return {
    get fd() {
      return owned.fd;
    },
    get isOpen() {
      return owned.isOpen;
    },
    close: () => owned.close(),
    intoSocket: () => adoptSocketFd(owned.release()),
  };
}

/** The end of a socket that was accepted paused and never resumed: measured, no runtime reads from it. */
export class PausedEnd implements AcceptedEnd {
  readonly #socket: Socket;
  #isGivenAway = false;

  /** Takes a socket over. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {/* seen again by whoever reads or writes */});
  }

  get fd(): number {
    return socketFd(this.#socket);
  }

  get isOpen(): boolean {
    return !this.#isGivenAway && !this.#socket.destroyed;
  }

  close(): void {
    if (!this.#isGivenAway) this.#socket.destroy();
  }

  readBy(reader: EndReader): void {
    const socket = this.#socket;
    socket.on("data", (chunk: Uint8Array) => reader.data(chunk));
    socket.on("end", () => reader.end());
    socket.on("error", (error) => reader.failed(error));
    socket.on("close", () => reader.closed());
    socket.resume();
  }

  intoSocket(): Socket {
    this.#isGivenAway = true;
    return this.#socket;
  }
}
