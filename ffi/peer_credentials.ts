// This module has no I/O.

import type { ErrnoTable, OsFailure } from "./errno.ts";
import { requireFd } from "./fd.ts";
import type { Layout } from "./layout.ts";
import type { Libc } from "./libc.ts";

/** `(uid_t) -1`: what the kernel reports for a socket without a peer. */
const NO_USER = 0xffff_ffff;

/** Who is at the other end, as the kernel knows it from the moment the connection was made. */
export interface PeerCredentials {
  /** The process id, or 0 where it is not known (macOS, or a process of another container). */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** The peer's credentials, or why there are none. */
export type PeerCredentialsResult = { readonly ok: true; readonly peer: PeerCredentials } | OsFailure;

/** Makes the function that asks for the credentials of a connected Unix socket's peer. */
export function createPeerCredentials(
  libc: Libc,
  layout: Layout,
  errnoTable: ErrnoTable,
): (fd: number) => PeerCredentialsResult {
  const { getpeereid } = libc;
  return getpeereid === null
    ? createFromSocketOption(libc, layout, errnoTable)
    : createFromPeerId({ getpeereid, errno: () => libc.errno() }, errnoTable);
}

function createFromSocketOption(
  libc: Libc,
  layout: Layout,
  errnoTable: ErrnoTable,
): (fd: number) => PeerCredentialsResult {
  const { credentials, constants } = layout;
  if (credentials === null) throw new TypeError(`No layout of peer credentials for ${layout.platform}`);
  const value = new Uint8Array(new ArrayBuffer(credentials.bytes));
  const length = new Uint8Array(new ArrayBuffer(4));
  const valueView = new DataView(value.buffer);
  const lengthView = new DataView(length.buffer);
  return (fd) => {
    lengthView.setUint32(0, credentials.bytes, true);
    const result = libc.getsockopt(requireFd(fd), constants.SOL_SOCKET, constants.SO_PEERCRED, value, length);
    if (result !== 0) return errnoTable.failure(libc.errno());
    // A shorter answer would leave the credentials of an earlier peer in the buffer.
    if (lengthView.getUint32(0, true) !== credentials.bytes) {
      return errnoTable.failure(errnoTable.numbers.EINVAL);
    }
    return known(
      errnoTable,
      Math.max(0, valueView.getInt32(credentials.processIdOffset, true)),
      valueView.getUint32(credentials.userIdOffset, true),
      valueView.getUint32(credentials.groupIdOffset, true),
    );
  };
}

function createFromPeerId(
  libc: { getpeereid: NonNullable<Libc["getpeereid"]>; errno: Libc["errno"] },
  errnoTable: ErrnoTable,
): (fd: number) => PeerCredentialsResult {
  const user = new Uint8Array(new ArrayBuffer(4));
  const group = new Uint8Array(new ArrayBuffer(4));
  const userView = new DataView(user.buffer);
  const groupView = new DataView(group.buffer);
  return (fd) => {
    if (libc.getpeereid(requireFd(fd), user, group) !== 0) return errnoTable.failure(libc.errno());
    return known(errnoTable, 0, userView.getUint32(0, true), groupView.getUint32(0, true));
  };
}

function known(errnoTable: ErrnoTable, pid: number, uid: number, gid: number): PeerCredentialsResult {
  if (uid === NO_USER) return errnoTable.failure(errnoTable.numbers.ENOTCONN);
  return { ok: true, peer: { pid, uid, gid } };
}
