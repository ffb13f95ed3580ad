// This module has no I/O.

import { type ErrnoTable, INTERRUPTIONS_MAX } from "./errno.ts";
import { requireFd } from "./fd.ts";
import type { Layout } from "./layout.ts";
import type { Libc } from "./libc.ts";

/** Whether a file is locked now. `held`: by another opening of it. */
export type FileLockResult =
  | { readonly kind: "locked" }
  | { readonly kind: "held" }
  | { readonly kind: "error"; readonly errno: number; readonly name: string };

/** Makes the call that locks an open file for one opening of it, without waiting. */
export function createFileLock(
  libc: Libc,
  layout: Layout,
  errnoTable: ErrnoTable,
): (fd: number) => FileLockResult {
  const { LOCK_EX, LOCK_NB } = layout.constants;
  // What a lock that is held gives is called EWOULDBLOCK, which is the same number on both kernels.
  const { EAGAIN, EINTR } = errnoTable.numbers;
  return (fd) => {
    requireFd(fd);
    for (let interruptions = 0;; interruptions++) {
      if (libc.flock(fd, LOCK_EX | LOCK_NB) === 0) return { kind: "locked" };
      const errno = libc.errno();
      if (errno === EAGAIN) return { kind: "held" };
      if (errno !== EINTR || interruptions === INTERRUPTIONS_MAX) {
        return { kind: "error", errno, name: errnoTable.nameOf(errno) };
      }
    }
  };
}
