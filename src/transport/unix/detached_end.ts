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
export class PausedEnd implements DetachedEnd {
  readonly #socket: Socket;
  #isGivenAway = false;

  /** Takes a socket over. */
  constructor(socket: Socket) {
    this.#socket = socket;
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

  intoSocket(): Socket {
    this.#isGivenAway = true;
    return this.#socket;
  }
}
