// This module has no I/O.
import { keptByPath } from "./kept_by_path.ts";
import type { Libc } from "./libc.ts";
import { PROC_LAYOUT } from "./proc_layout.ts";

/** Paths kept in the form the system takes; a broker looks at a folder and a few files in it. */
const PATHS_MAX = 64;

/** `AT_FDCWD`: a path that is not absolute starts at the working directory. */
const WORKING_DIRECTORY = -100;

const { bytes: STATUS_BYTES, mask: BASIC_STATUS, uid, blocks, ctime, devEnd } = PROC_LAYOUT.statx;

/**
 * What a file looks like from outside, to be compared byte by byte with an earlier look: owner, mode, device,
 * inode, size, and when content and status changed.
 *
 * @param known An earlier look.
 * @returns `known` itself when nothing has changed since; `undefined` when there is no file to look at, or no such call.
 */
export type FileLook = (path: string, known?: Uint8Array) => Uint8Array | undefined;

/** Makes the look, which builds nothing but what is compared: it runs with every Hello. */
export function createFileLook(libc: Libc): FileLook {
  const status = new Uint8Array(new ArrayBuffer(STATUS_BYTES));
  const utf8 = new TextEncoder();
  const nativePath = keptByPath(
    PATHS_MAX,
    (path) => path.includes("\0") ? undefined : new Uint8Array(utf8.encode(`${path}\0`)),
  );
  return (path, known) => {
    const bytes = nativePath(path);
    if (libc.statx === null || bytes === undefined) return undefined;
    if (libc.statx(WORKING_DIRECTORY, bytes, 0, BASIC_STATUS, status) !== 0) return undefined;
    if (known !== undefined && looksLike(status, known)) return known;
    const look = new Uint8Array(blocks - uid + devEnd - ctime);
    look.set(status.subarray(uid, blocks));
    look.set(status.subarray(ctime, devEnd), blocks - uid);
    return look;
  };
}

/** By hand, since views for comparing cost more than the look. */
function looksLike(status: Uint8Array, known: Uint8Array): boolean {
  let at = 0;
  for (let i = uid; i < blocks; i++) if (status[i] !== known[at++]) return false;
  for (let i = ctime; i < devEnd; i++) if (status[i] !== known[at++]) return false;
  return at === known.length;
}
