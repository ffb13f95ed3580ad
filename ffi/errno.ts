// This module has no I/O.

import type { UnixPlatform } from "./libc.ts";

/** How often a call that a signal interrupted is made again: none here waits, so one interruption is rare. */
export const INTERRUPTIONS_MAX = 8;

/** The names of the errors that the calls of this project can meet, with their numbers on Linux and on macOS. */
const ERRNO_NUMBERS = {
  EPERM: [1, 1],
  ENOENT: [2, 2],
  ESRCH: [3, 3],
  EINTR: [4, 4],
  EIO: [5, 5],
  EBADF: [9, 9],
  EAGAIN: [11, 35],
  ENOMEM: [12, 12],
  EACCES: [13, 13],
  EFAULT: [14, 14],
  EBUSY: [16, 16],
  EEXIST: [17, 17],
  EINVAL: [22, 22],
  ENFILE: [23, 23],
  EMFILE: [24, 24],
  ENOTTY: [25, 25],
  ENOSPC: [28, 28],
  EPIPE: [32, 32],
  ENAMETOOLONG: [36, 63],
  ENOSYS: [38, 78],
  ELOOP: [40, 62],
  ENOTSOCK: [88, 38],
  EDESTADDRREQ: [89, 39],
  EMSGSIZE: [90, 40],
  ENOPROTOOPT: [92, 42],
  EOPNOTSUPP: [95, 102],
  EADDRINUSE: [98, 48],
  ECONNABORTED: [103, 53],
  ECONNRESET: [104, 54],
  ENOBUFS: [105, 55],
  EISCONN: [106, 56],
  ENOTCONN: [107, 57],
  ESHUTDOWN: [108, 58],
  ETOOMANYREFS: [109, 59],
  ETIMEDOUT: [110, 60],
  ECONNREFUSED: [111, 61],
} as const satisfies Record<string, readonly [linux: number, darwin: number]>;

/** The name of an error, as C spells it. */
export type ErrnoName = keyof typeof ERRNO_NUMBERS;

/** Why the kernel refused a call. */
export interface OsFailure {
  readonly ok: false;
  /** The number, or 0 when no system call failed. */
  readonly errno: number;
  /** The number's C name, such as `"EPIPE"`. */
  readonly name: string;
}

/** Names and classes of one kernel's error numbers. */
export class ErrnoTable {
  /** The number of each name on this kernel. */
  readonly numbers: Readonly<Record<ErrnoName, number>>;
  readonly #names: ReadonlyMap<number, ErrnoName>;
  readonly #backpressure: ReadonlySet<number>;

  /** @param platform The kernel whose numbers are meant. */
  constructor(platform: UnixPlatform) {
    const column = platform === "darwin" ? 1 : 0;
    const entries = (Object.keys(ERRNO_NUMBERS) as ErrnoName[])
      .map((name) => [name, ERRNO_NUMBERS[name][column]] as const);
    this.numbers = Object.fromEntries(entries) as Record<ErrnoName, number>;
    this.#names = new Map(entries.map(([name, errno]) => [errno, name]));
    const { EAGAIN, EMSGSIZE, ENOBUFS, ETOOMANYREFS } = this.numbers;
    // macOS tells a full queue from a full mbuf pool; Linux bounds the descriptors a user has in flight.
    this.#backpressure = new Set(
      platform === "darwin" ? [EAGAIN, EMSGSIZE, ENOBUFS] : [EAGAIN, ETOOMANYREFS],
    );
  }

  /** The C name of a number, or `"errno 4242"` for one that is not in the table. */
  nameOf(errno: number): string {
    return this.#names.get(errno) ?? `errno ${errno}`;
  }

  /** A number for a message, such as `"EPIPE (32)"`. */
  describe(errno: number): string {
    const name = this.#names.get(errno);
    return name === undefined ? `errno ${errno}` : `${name} (${errno})`;
  }

  /** A number as a result. */
  failure(errno: number): OsFailure {
    return { ok: false, errno, name: this.nameOf(errno) };
  }

  /** Whether a refused send means only that the way is full: nothing was sent, and later it may work. */
  isBackpressure(errno: number): boolean {
    return this.#backpressure.has(errno);
  }
}
