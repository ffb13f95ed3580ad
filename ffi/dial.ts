// This module has no I/O.

import type { ErrnoTable, OsFailure } from "./errno.ts";
import { keptByPath } from "./kept_by_path.ts";
import type { Layout } from "./layout.ts";
import type { Libc } from "./libc.ts";

/** Addresses kept in the form the system takes; a client talks to a broker or two and their backends. */
const ADDRESSES_MAX = 16;

/** Bytes of `sun_path` on Linux, its closing zero included. */
const PATH_BYTES_MAX = 108;

/** A connected stream socket that never waits, set to close on exec; it is the caller's to close. */
export type DialResult = { readonly ok: true; readonly fd: number } | OsFailure;

/**
 * Connects to a Unix socket without waiting, so what is sent next is there when the peer accepts.
 *
 * @param path An absolute or relative path; what has a NUL or is too long fails as `"ENAMETOOLONG"`.
 * @returns A failure with the name "EAGAIN" where too many wait to be accepted, "ENOSYS" where there is no such call.
 */
export type Dial = (path: string) => DialResult;

/** Makes the dial. */
export function createDial(libc: Libc, layout: Layout, errnoTable: ErrnoTable): Dial {
  const { AF_UNIX, SOCK_STREAM, SOCK_CLOEXEC, SOCK_NONBLOCK } = layout.constants;
  const { ENAMETOOLONG, ENOSYS } = errnoTable.numbers;
  const addressOf = keptByPath(ADDRESSES_MAX, (path) => socketAddress(path, AF_UNIX));
  return (path) => {
    const { socket, connect } = libc;
    if (socket === null || connect === null) return errnoTable.failure(ENOSYS);
    const address = addressOf(path);
    if (address === undefined) return errnoTable.failure(ENAMETOOLONG);
    const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return errnoTable.failure(libc.errno());
    if (connect(fd, address, address.length) === 0) return { ok: true, fd };
    const failure = errnoTable.failure(libc.errno());
    libc.close(fd);
    return failure;
  };
}

/** A `struct sockaddr_un`: the family in two bytes, the path, its closing zero. */
function socketAddress(path: string, family: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length === 0 || bytes.length >= PATH_BYTES_MAX || bytes.includes(0)) return undefined;
  const address = new Uint8Array(new ArrayBuffer(2 + bytes.length + 1));
  address[0] = family;
  address.set(bytes, 2);
  return address;
}
