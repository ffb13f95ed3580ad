// This module has no I/O.

import { readControl, writeFdControl } from "./control_messages.ts";
import { type ErrnoTable, INTERRUPTIONS_MAX, type OsFailure } from "./errno.ts";
import { requireFd } from "./fd.ts";
import { controlSpace, type Layout } from "./layout.ts";
import type { Libc } from "./libc.ts";
import { MessageArena } from "./message.ts";

/** The most bytes that travel along with a descriptor: a page; the handoff sends 16. */
export const SEND_BYTES_MAX = 4096;
/** The most bytes one receive asks for: the size of a frame, and what a socket's queue usually holds. */
export const RECEIVE_BYTES_MAX = 65_536;
/** Room for every descriptor one message can carry (253 on Linux, about 510 on macOS) and some credentials. */
const CONTROL_BYTES_MAX = 4096;

/** How sending a descriptor ended. The sender's own copy stays open, and the sender's, in every case. */
export type SendFdResult =
  | { readonly ok: true }
  | OsFailure & {
    /** More than 0: the descriptor may have reached the peer, and nothing more can be sent on this stream. */
    readonly bytesSent: number;
    /** The way is full and nothing was sent: trying later makes sense. */
    readonly isBackpressure: boolean;
  };

/** What one receive brought. Descriptors in `data` are the caller's to close; no other result leaves any open. */
export type ReceiveResult =
  | { readonly kind: "data"; readonly bytes: Uint8Array<ArrayBuffer>; readonly fds: readonly number[] }
  | { readonly kind: "eof" }
  | { readonly kind: "again" }
  | { readonly kind: "error"; readonly errno: number; readonly name: string }
  | {
    /** The bytes arrived, but what came along is not acceptable; all of it was closed. */
    readonly kind: "violation";
    readonly reason: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
  };

/** Passes descriptors over connected Unix sockets. Nothing here waits, and nothing throws for what a peer does. */
export interface FdPassing {
  /**
   * Sends `payload` and `fd` in one message.
   *
   * @throws {RangeError} When the payload is empty (a stream carries no descriptor without a byte) or too long.
   */
  sendFd(socketFd: number, payload: Uint8Array, fd: number): SendFdResult;
  /**
   * Receives at most `length` bytes and the descriptors sent with them, set to close on exec.
   *
   * A kernel delivers bytes of earlier messages along with a descriptor's, so ask for exactly what is due.
   *
   * @param options `fdsMax`: how many descriptors may come along; one more is a violation.
   */
  receive(socketFd: number, length: number, options: { readonly fdsMax: number }): ReceiveResult;
}

/** Makes the two calls, with one arena each. */
export function createFdPassing(libc: Libc, layout: Layout, errnoTable: ErrnoTable): FdPassing {
  const sender = createSender(libc, layout, errnoTable);
  const receiver = createReceiver(libc, layout, errnoTable);
  return { sendFd: sender, receive: receiver };
}

const SENT: SendFdResult = Object.freeze({ ok: true });
const EOF: ReceiveResult = Object.freeze({ kind: "eof" });
const AGAIN: ReceiveResult = Object.freeze({ kind: "again" });

function createSender(libc: Libc, layout: Layout, errnoTable: ErrnoTable): FdPassing["sendFd"] {
  const room = controlSpace(layout, 4);
  const arena = new MessageArena(libc, layout, room, SEND_BYTES_MAX);
  const { EINTR } = errnoTable.numbers;
  const flags = layout.constants.MSG_DONTWAIT | layout.constants.MSG_NOSIGNAL;

  return (socketFd, payload, fd) => {
    const { length } = payload;
    if (length === 0 || length > SEND_BYTES_MAX) {
      throw new RangeError(`A descriptor travels with 1 to ${SEND_BYTES_MAX} bytes, not with ${length}`);
    }
    requireFd(socketFd);
    writeFdControl(arena.control, layout, requireFd(fd));
    arena.payload.set(payload);
    arena.prepare(length, room);
    for (let interruptions = 0;; interruptions++) {
      const bytesSent = libc.sendmsg(socketFd, arena.bytes, flags);
      if (bytesSent === length) return SENT;
      if (bytesSent >= 0) {
        return { ok: false, errno: 0, name: "short send", bytesSent, isBackpressure: false };
      }
      const errno = libc.errno();
      if (errno === EINTR && interruptions < INTERRUPTIONS_MAX) continue;
      const isBackpressure = errnoTable.isBackpressure(errno);
      return { ...errnoTable.failure(errno), bytesSent: 0, isBackpressure };
    }
  };
}

function createReceiver(libc: Libc, layout: Layout, errnoTable: ErrnoTable): FdPassing["receive"] {
  const arena = new MessageArena(libc, layout, CONTROL_BYTES_MAX, RECEIVE_BYTES_MAX);
  const { EINTR, EAGAIN } = errnoTable.numbers;
  const { MSG_DONTWAIT, MSG_CMSG_CLOEXEC, MSG_CTRUNC } = layout.constants;

  return (socketFd, length, { fdsMax }) => {
    if (!Number.isInteger(length) || length < 1 || length > RECEIVE_BYTES_MAX) {
      throw new RangeError(`One receive asks for 1 to ${RECEIVE_BYTES_MAX} bytes, not for ${length}`);
    }
    requireFd(socketFd);
    let received: number;
    for (let interruptions = 0;; interruptions++) {
      arena.prepare(length, CONTROL_BYTES_MAX);
      received = libc.recvmsg(socketFd, arena.bytes, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (received >= 0) break;
      const errno = libc.errno();
      if (errno === EAGAIN) return AGAIN;
      if (errno === EINTR && interruptions < INTERRUPTIONS_MAX) continue;
      return { kind: "error", errno, name: errnoTable.nameOf(errno) };
    }

    const { fds, fault } = readControl(arena.control, layout, arena.controlBytesSeen);
    if (received === 0) {
      closeAll(libc, fds);
      return EOF;
    }
    const bytes = arena.payload.slice(0, received);
    const reason = (arena.flagsSeen & MSG_CTRUNC) !== 0
      ? `Control data was cut off (MSG_CTRUNC), descriptors that arrived: ${fds.length}`
      : fault ??
        (fds.length > fdsMax ? `Descriptors that arrived: ${fds.length}, allowed: ${fdsMax}` : undefined);
    if (reason !== undefined) {
      closeAll(libc, fds);
      return { kind: "violation", reason, bytes };
    }
    const errno = MSG_CMSG_CLOEXEC === 0 ? setCloseOnExec(libc, layout, fds) : undefined;
    if (errno !== undefined) {
      closeAll(libc, fds);
      return { kind: "error", errno, name: errnoTable.nameOf(errno) };
    }
    return { kind: "data", bytes, fds };
  };
}

function setCloseOnExec(libc: Libc, layout: Layout, fds: readonly number[]): number | undefined {
  for (const fd of fds) {
    if (libc.ioctl(fd, layout.constants.FIOCLEX) === 0) continue;
    return libc.errno();
  }
  return undefined;
}

function closeAll(libc: Libc, fds: readonly number[]): void {
  for (const fd of fds) libc.close(fd);
}
