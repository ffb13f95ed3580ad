// This module has no I/O.
import { type ErrnoTable, INTERRUPTIONS_MAX, type OsFailure } from "./errno.ts";
import type { Layout } from "./layout.ts";
import type { Libc } from "./libc.ts";

/** `pidfd_open` on every architecture of Linux; without a function of its own in older C libraries. */
const SYS_PIDFD_OPEN = 434;

/** A descriptor that stands for one process, never for a later one of its number. The caller closes it. */
export type ProcessWatchResult = { readonly ok: true; readonly fd: number } | OsFailure | {
  /** There is no such call on this system. */
  readonly ok: false;
  readonly name: "unsupported";
};

/** Watches processes without asking the file system. */
export interface ProcessWatch {
  /** Opens a watch on the process that has a number now. */
  open(pid: number): ProcessWatchResult;
  /** Whether a watched process has ended, also when its parent has not asked for its status yet. */
  hasEnded(fd: number): boolean;
}

/** Makes the two calls. */
export function createProcessWatch(libc: Libc, layout: Layout, errnoTable: ErrnoTable): ProcessWatch {
  const { POLLIN } = layout.constants;
  const { bytes, fdOffset, eventsOffset, seenOffset } = layout.poll;
  const entry = new Uint8Array(new ArrayBuffer(bytes));
  const view = new DataView(entry.buffer);
  view.setInt16(eventsOffset, POLLIN, true);
  return {
    open(pid) {
      if (libc.syscall === null) return { ok: false, name: "unsupported" };
      const fd = libc.syscall(SYS_PIDFD_OPEN, pid, 0);
      return fd >= 0 ? { ok: true, fd } : errnoTable.failure(libc.errno());
    },
    hasEnded(fd) {
      view.setInt32(fdOffset, fd, true);
      for (let interruptions = 0;; interruptions++) {
        view.setInt16(seenOffset, 0, true);
        const ready = libc.poll(entry, 1);
        const isInterrupted = ready < 0 && libc.errno() === errnoTable.numbers.EINTR;
        // Whatever it says besides "nothing yet", nobody should be sent there.
        if (!isInterrupted || interruptions === INTERRUPTIONS_MAX) return ready !== 0;
      }
    },
  };
}
