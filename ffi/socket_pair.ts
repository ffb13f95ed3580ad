// This module has no I/O.

import type { ErrnoTable, OsFailure } from "./errno.ts";
import type { Layout } from "./layout.ts";
import type { Libc } from "./libc.ts";

/** Two connected stream sockets, set to close on exec; both are the caller's to close. */
export type SocketPairResult = { readonly ok: true; readonly fds: readonly [number, number] } | OsFailure;

/** Makes the function that makes two connected Unix stream sockets. */
export function createSocketPair(libc: Libc, layout: Layout, errnoTable: ErrnoTable): () => SocketPairResult {
  const { AF_UNIX, SOCK_STREAM, SOCK_CLOEXEC, FIOCLEX } = layout.constants;
  const numbers = new Uint8Array(new ArrayBuffer(8));
  const view = new DataView(numbers.buffer);
  return () => {
    if (libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, numbers) !== 0) {
      return errnoTable.failure(libc.errno());
    }
    const fds = [view.getInt32(0, true), view.getInt32(4, true)] as const;
    for (const fd of fds) {
      if (SOCK_CLOEXEC !== 0 || libc.ioctl(fd, FIOCLEX) === 0) continue;
      const failure = errnoTable.failure(libc.errno());
      for (const opened of fds) libc.close(opened);
      return failure;
    }
    return { ok: true, fds };
  };
}
