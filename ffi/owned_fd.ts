// This module has no I/O.

import { BrokerError } from "../src/errors.ts";
import type { ErrnoTable } from "./errno.ts";
import { requireFd } from "./fd.ts";
import type { Done } from "./socket_calls.ts";

/** What closing a descriptor takes. */
export interface FdCloser {
  readonly sockets: { closeFd(fd: number): Done };
  readonly errno: Pick<ErrnoTable, "numbers" | "describe">;
}

/**
 * A file descriptor with exactly one owner: whoever holds this object closes it or gives it up, once.
 */
export class OwnedFd implements Disposable {
  #fd: number | undefined;
  readonly #closer: FdCloser;

  /**
   * @param fd The descriptor that is owned from here on.
   * @param closer Closes it.
   */
  constructor(fd: number, closer: FdCloser) {
    this.#fd = requireFd(fd);
    this.#closer = closer;
  }

  /** The descriptor, to use but not to close. Throws once it was closed or given up. */
  get fd(): number {
    if (this.#fd === undefined) {
      throw new BrokerError("closed", "Cannot use a file descriptor that was closed or given up");
    }
    return this.#fd;
  }

  /** Whether the descriptor is still owned here. */
  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  /** Gives the descriptor up: the caller owns it now, and closing this object does nothing. */
  release(): number {
    const { fd } = this;
    this.#fd = undefined;
    return fd;
  }

  /**
   * Closes the descriptor. Doing so again, or after giving it up, does nothing.
   *
   * @throws {BrokerError} With code "os" when somebody else closed the descriptor: by now its number may be
   * another connection's. All other errors of close leave the descriptor closed and lose nothing.
   */
  close(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#fd = undefined;
    const { sockets, errno } = this.#closer;
    const result = sockets.closeFd(fd);
    if (!result.ok && result.errno === errno.numbers.EBADF) {
      throw new BrokerError(
        "os",
        `Cannot close descriptor ${fd}: close returned ${errno.describe(result.errno)}`,
      );
    }
  }

  /** Closes the descriptor; see {@linkcode OwnedFd.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}
