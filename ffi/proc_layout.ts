// This module has no I/O.

/** Numbers of Linux's calls on files, the same on every processor this project knows. */
export const PROC_LAYOUT = {
  /** Longest text read of a file below `/proc`: a status line has a few hundred bytes, a cgroup list a few thousand. */
  fileBytesMax: 64 * 1024,
  /** Longest path a link may point to: `PATH_MAX`. */
  linkBytesMax: 4096,
  /** `O_RDONLY | O_CLOEXEC`. */
  openFlags: 0x80000,
  /** `struct statx`, whose layout is the kernel's own. */
  statx: {
    bytes: 256,
    /** `AT_EMPTY_PATH`: the descriptor itself is meant. */
    emptyPath: 0x1000,
    /** `STATX_BASIC_STATS`. */
    mask: 0x7ff,
    /** Owner and group, mode, inode and size stand one behind the other from here on. */
    uid: 20,
    ino: 32,
    size: 40,
    /** Behind the size. */
    blocks: 48,
    /** Seconds in 64 bits, then nanoseconds in 32. */
    ctime: 96,
    mtime: 112,
    devMajor: 136,
    devMinor: 140,
    /** Behind the device. */
    devEnd: 144,
  },
} as const;

/** A device number as `stat` has it, from its two halves. */
export function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) |
    (low & 0xffn);
}
