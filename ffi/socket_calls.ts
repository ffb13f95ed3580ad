// This module has no I/O.

import { type ErrnoTable, INTERRUPTIONS_MAX, type OsFailure } from "./errno.ts";
import { requireFd } from "./fd.ts";
import type { Layout } from "./layout.ts";
import type { Libc } from "./libc.ts";

/** The most bytes one receive takes: what a socket's queue usually holds. */
const RECEIVE_BYTES_MAX = 65_536;

/** A call that failed, beside results of other kinds. */
export interface SocketError {
  readonly kind: "error";
  readonly errno: number;
  readonly name: string;
}

/** How a send ended. `sent` may be less than everything; `again`: nothing was sent, the way is full. */
export type SendResult =
  | { readonly kind: "sent"; readonly bytesSent: number }
  | { readonly kind: "again" }
  | SocketError;

/** What a receive brought. `again`: nothing is there yet. */
export type ReceiveBytesResult =
  | { readonly kind: "data"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "eof" }
  | { readonly kind: "again" }
  | SocketError;

/** What a receive would find. */
export type Readability =
  | { readonly kind: "readable" }
  | { readonly kind: "empty" }
  | { readonly kind: "eof" }
  | SocketError;

/**
 * What a peer has ended: nothing, its own direction only (not told on macOS), or the whole connection. What it
 * has sent before may still be read.
 */
export type HangUp =
  | { readonly kind: "connected" }
  | { readonly kind: "ended" }
  | { readonly kind: "hung-up" }
  | SocketError;

/** A call that has nothing to tell but its failure. */
export type Done = { readonly ok: true } | OsFailure;

/** A new descriptor of an open socket, set to close on exec. */
export type Duplicate = { readonly ok: true; readonly fd: number } | OsFailure;

/**
 * Calls on connected sockets. None waits and none throws for what the kernel answers.
 *
 * On macOS a send may wait all the same where the socket is in blocking mode; the sockets of a runtime are not.
 */
export interface SocketCalls {
  /** Sends as much of `bytes` as fits. */
  sendBytes(fd: number, bytes: Uint8Array): SendResult;
  /** Takes at most `bytesMax` bytes; descriptors among them are lost, so never for a channel that carries some. */
  receiveBytes(fd: number, bytesMax: number): ReceiveBytesResult;
  /** Looks without taking anything: neither bytes nor descriptors. */
  isReadable(fd: number): Readability;
  /** Tells what the peer has ended, also when bytes of it are still to be read. */
  hangUp(fd: number): HangUp;
  /** Tells whether a connection waits on a listening socket to be accepted. */
  hasWaiting(fd: number): boolean;
  /**
   * Counts the descriptors of this process that are open.
   *
   * @param below Only those with lower numbers; not above the limit of this process.
   * @returns `undefined` when the kernel does not say.
   */
  countOpen(below: number): number | undefined;
  /** Ends both directions, for every process that shares the connection. */
  shutdownBoth(fd: number): Done;
  /** Ends sending only, for every process that shares the connection; what was sent before is not lost. */
  shutdownWriting(fd: number): Done;
  /** Ends receiving only: later sends of the peer fail, what is queued can still be read (measured on Linux). */
  shutdownReading(fd: number): Done;
  /** Closes a descriptor. Whatever comes back, the number must not be used again. */
  closeFd(fd: number): Done;
  /**
   * Makes a second descriptor of the same open socket.
   *
   * @param numberMin The lowest number it may have; without effect on macOS. @default {3}
   */
  duplicateFd(fd: number, numberMin?: number): Duplicate;
  /**
   * Makes a number another one of what is open as `from`, to be closed in programs that are started. What the number
   * was is closed; an event loop goes on watching that if it has another number, too (measured on Linux).
   */
  replaceFd(from: number, number: number): Done;
  /** Closes a descriptor in every program that this process starts from now on. */
  keepFromChildren(fd: number): Done;
  /** Lets ordinary calls on a socket wait, in every process that shares it. On macOS it stays as it is. */
  makeBlocking(fd: number): Done;
}

const AGAIN = Object.freeze({ kind: "again" });
const EOF = Object.freeze({ kind: "eof" });
const READABLE: Readability = Object.freeze({ kind: "readable" });
const EMPTY: Readability = Object.freeze({ kind: "empty" });
const CONNECTED: HangUp = Object.freeze({ kind: "connected" });
const ENDED: HangUp = Object.freeze({ kind: "ended" });
const HUNG_UP: HangUp = Object.freeze({ kind: "hung-up" });
const DONE: Done = Object.freeze({ ok: true });

/** Makes the calls, over one receive buffer. */
export function createSocketCalls(libc: Libc, layout: Layout, errnoTable: ErrnoTable): SocketCalls {
  const { constants } = layout;
  const done = (result: number): Done => result === 0 ? DONE : errnoTable.failure(libc.errno());
  return {
    ...createTransfers(libc, layout, errnoTable),
    ...createLooks(libc, layout, errnoTable),
    shutdownBoth: (fd) => done(libc.shutdown(requireFd(fd), constants.SHUT_RDWR)),
    shutdownWriting: (fd) => done(libc.shutdown(requireFd(fd), constants.SHUT_WR)),
    shutdownReading: (fd) => done(libc.shutdown(requireFd(fd), constants.SHUT_RD)),
    closeFd: (fd) => done(libc.close(requireFd(fd))),
    duplicateFd: (fd, numberMin = DUPLICATE_FD_MIN) =>
      duplicate(libc, layout, errnoTable, requireFd(fd), numberMin),
    replaceFd: (from, number) => replace(libc, layout, errnoTable, requireFd(from), requireFd(number)),
    keepFromChildren: (fd) => done(libc.ioctl(requireFd(fd), constants.FIOCLEX)),
    makeBlocking: (fd) => makeBlocking(libc, layout, errnoTable, requireFd(fd)),
  };
}

type Transfers = Pick<SocketCalls, "sendBytes" | "receiveBytes" | "isReadable">;

function createTransfers(libc: Libc, layout: Layout, errnoTable: ErrnoTable): Transfers {
  const { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK } = layout.constants;
  const { EINTR, EAGAIN } = errnoTable.numbers;
  const scratch = new Uint8Array(new ArrayBuffer(RECEIVE_BYTES_MAX));

  /** Bytes received, or the negative errno. */
  function receive(fd: number, bytesMax: number, flags: number): number {
    for (let interruptions = 0;; interruptions++) {
      const received = libc.recv(fd, scratch, bytesMax, flags);
      if (received >= 0) return received;
      const errno = libc.errno();
      if (errno !== EINTR || interruptions === INTERRUPTIONS_MAX) return -errno;
    }
  }

  function failed(errno: number): { readonly kind: "again" } | SocketError {
    return errno === EAGAIN ? AGAIN : { kind: "error", errno, name: errnoTable.nameOf(errno) };
  }

  return {
    sendBytes(fd, bytes) {
      requireFd(fd);
      for (let interruptions = 0;; interruptions++) {
        const bytesSent = bytes.length === 0
          ? 0
          : libc.send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (bytesSent >= 0) return { kind: "sent", bytesSent };
        const errno = libc.errno();
        if (errno !== EINTR || interruptions === INTERRUPTIONS_MAX) return failed(errno);
      }
    },
    receiveBytes(fd, bytesMax) {
      if (!Number.isInteger(bytesMax) || bytesMax < 1) {
        throw new RangeError(`Cannot receive ${bytesMax} bytes`);
      }
      const received = receive(requireFd(fd), Math.min(bytesMax, RECEIVE_BYTES_MAX), MSG_DONTWAIT);
      if (received > 0) return { kind: "data", bytes: scratch.slice(0, received) };
      return received === 0 ? EOF : failed(-received);
    },
    isReadable(fd) {
      const received = receive(requireFd(fd), 1, MSG_DONTWAIT | MSG_PEEK);
      if (received > 0) return READABLE;
      if (received === 0) return EOF;
      const failure = failed(-received);
      return failure.kind === "again" ? EMPTY : failure;
    },
  };
}

type Looks = Pick<SocketCalls, "hangUp" | "hasWaiting" | "countOpen">;

function createLooks(libc: Libc, layout: Layout, errnoTable: ErrnoTable): Looks {
  const { POLLIN, POLLHUP, POLLRDHUP, POLLNVAL } = layout.constants;
  const { bytes, fdOffset, eventsOffset, seenOffset } = layout.poll;
  const entry = new Uint8Array(new ArrayBuffer(bytes));
  const view = new DataView(entry.buffer);
  const error = (errno: number): SocketError => ({ kind: "error", errno, name: errnoTable.nameOf(errno) });
  /** What a descriptor is ready for, or -1. */
  const look = (fd: number, events: number) => {
    view.setInt32(fdOffset, requireFd(fd), true);
    view.setInt16(eventsOffset, events, true);
    view.setInt16(seenOffset, 0, true);
    return libc.poll(entry, 1) < 0 ? -1 : view.getInt16(seenOffset, true);
  };
  return {
    hangUp(fd) {
      const seen = look(fd, POLLRDHUP);
      if (seen < 0) return error(libc.errno());
      if ((seen & POLLNVAL) !== 0) return error(errnoTable.numbers.EBADF);
      if ((seen & POLLHUP) !== 0) return HUNG_UP;
      return (seen & POLLRDHUP) !== 0 ? ENDED : CONNECTED;
    },
    hasWaiting(fd) {
      const seen = look(fd, POLLIN);
      return seen >= 0 && (seen & POLLIN) !== 0;
    },
    countOpen: createCount(libc, layout),
  };
}

/** One poll of all numbers tells which are none: no folder has to be read, which would take a descriptor. */
function createCount(libc: Libc, layout: Layout): SocketCalls["countOpen"] {
  const { bytes, fdOffset, seenOffset } = layout.poll;
  let view = new DataView(new ArrayBuffer(0));
  return (below) => {
    if (view.byteLength !== below * bytes) {
      view = new DataView(new ArrayBuffer(below * bytes));
      for (let fd = 0; fd < below; fd++) view.setInt32(fd * bytes + fdOffset, fd, true);
    }
    if (below > 0 && libc.poll(new Uint8Array(view.buffer), below) < 0) return undefined;
    let count = 0;
    for (let fd = 0; fd < below; fd++) {
      if ((view.getInt16(fd * bytes + seenOffset, true) & layout.constants.POLLNVAL) === 0) count++;
    }
    return count;
  };
}

/** Not 0 to 2: a daemon may have closed them, and what lands there is taken for standard input or output. */
const DUPLICATE_FD_MIN = 3;

function duplicate(
  libc: Libc,
  layout: Layout,
  errnoTable: ErrnoTable,
  fd: number,
  numberMin: number,
): Duplicate {
  const { F_DUPFD_CLOEXEC, FIOCLEX } = layout.constants;
  // In one step where fcntl can be called: a child started between two steps would inherit the connection.
  const copy = libc.fcntl === null ? libc.dup(fd) : libc.fcntl(fd, F_DUPFD_CLOEXEC, numberMin);
  if (copy < 0) return errnoTable.failure(libc.errno());
  if (libc.fcntl !== null || libc.ioctl(copy, FIOCLEX) === 0) return { ok: true, fd: copy };
  const failure = errnoTable.failure(libc.errno());
  libc.close(copy);
  return failure;
}

function replace(libc: Libc, layout: Layout, errnoTable: ErrnoTable, from: number, number: number): Done {
  const { EINTR } = errnoTable.numbers;
  for (let interruptions = 0; libc.dup2(from, number) < 0; interruptions++) {
    const errno = libc.errno();
    if (errno !== EINTR || interruptions === INTERRUPTIONS_MAX) return errnoTable.failure(errno);
  }
  return libc.ioctl(number, layout.constants.FIOCLEX) === 0 ? DONE : errnoTable.failure(libc.errno());
}

function makeBlocking(libc: Libc, layout: Layout, errnoTable: ErrnoTable, fd: number): Done {
  if (libc.fcntl === null) return DONE;
  // O_NONBLOCK is the only status flag that a socket of a runtime carries: no flags are what is wanted.
  return libc.fcntl(fd, layout.constants.F_SETFL, 0) === 0 ? DONE : errnoTable.failure(libc.errno());
}
