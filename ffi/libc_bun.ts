import type { BunFfi } from "./bun_ffi.ts";
import type { Libc, UnixPlatform } from "./libc.ts";

// "i64_fast" is a number whenever it fits one.
const everywhere = {
  sendmsg: {
    args: [
      "i32", // int fd
      "ptr", // const struct msghdr *message
      "i32", // int flags
    ],
    returns: "i64_fast",
  },
  recvmsg: {
    args: [
      "i32", // int fd
      "ptr", // struct msghdr *message
      "i32", // int flags
    ],
    returns: "i64_fast",
  },
  send: {
    args: [
      "i32", // int fd
      "ptr", // const void *bytes
      "u64", // size_t length
      "i32", // int flags
    ],
    returns: "i64_fast",
  },
  recv: {
    args: [
      "i32", // int fd
      "ptr", // void *bytes
      "u64", // size_t length
      "i32", // int flags
    ],
    returns: "i64_fast",
  },
  getsockopt: {
    args: [
      "i32", // int fd
      "i32", // int level
      "i32", // int option
      "ptr", // void *value
      "ptr", // socklen_t *length
    ],
    returns: "i32",
  },
  close: {
    args: [
      "i32", // int fd
    ],
    returns: "i32",
  },
  dup: {
    args: [
      "i32", // int fd
    ],
    returns: "i32",
  },
  dup2: {
    args: [
      "i32", // int from
      "i32", // int to
    ],
    returns: "i32",
  },
  ioctl: {
    args: [
      "i32", // int fd
      "u64", // unsigned long request
    ],
    returns: "i32",
  },
  flock: {
    args: [
      "i32", // int fd
      "i32", // int operation
    ],
    returns: "i32",
  },
  shutdown: {
    args: [
      "i32", // int fd
      "i32", // int how
    ],
    returns: "i32",
  },
  socketpair: {
    args: [
      "i32", // int domain
      "i32", // int type
      "i32", // int protocol
      "ptr", // int fds[2]
    ],
    returns: "i32",
  },
  poll: {
    args: [
      "ptr", // struct pollfd *entries
      "u64", // nfds_t count
      "i32", // int timeout
    ],
    returns: "i32",
  },
  getuid: { args: [], returns: "u32" },
  geteuid: { args: [], returns: "u32" },
} as const;

const perPlatform = {
  linux: {
    __errno_location: { args: [], returns: "ptr" },
    fcntl: {
      args: [
        "i32", // int fd
        "i32", // int command
        "i32", // int argument
      ],
      returns: "i32",
    },
    syscall: {
      args: [
        "i32", // long number; ours are small and not negative, and arrive the same
        "i32", // long first
        "i32", // long second
      ],
      returns: "i32",
    },
    socket: {
      args: [
        "i32", // int domain
        "i32", // int type
        "i32", // int protocol
      ],
      returns: "i32",
    },
    connect: {
      args: [
        "i32", // int fd
        "ptr", // const struct sockaddr *address
        "u32", // socklen_t length
      ],
      returns: "i32",
    },
    statx: {
      args: [
        "i32", // int dirfd
        "ptr", // const char *path
        "i32", // int flags
        "u32", // unsigned mask
        "ptr", // struct statx *status
      ],
      returns: "i32",
    },
  },
  darwin: {
    __error: { args: [], returns: "ptr" },
    getpeereid: {
      args: [
        "i32", // int fd
        "ptr", // uid_t *uid
        "ptr", // gid_t *gid
      ],
      returns: "i32",
    },
  },
} as const;

interface Symbols extends Omit<Libc, "poll" | "errno" | "address"> {
  poll(entries: Uint8Array, count: number, timeoutMs: number): number;
  __errno_location(): number;
  __error(): number;
}

/** The C library at an absolute path, through `bun:ffi`. Throws when it cannot be loaded. */
export function openLibcInBun(bun: BunFfi, path: string, platform: UnixPlatform): Libc {
  const symbols = bun.dlopen(path, { ...everywhere, ...perPlatform[platform] }).symbols as Symbols;
  const errnoLocation = platform === "darwin" ? symbols.__error : symbols.__errno_location;
  const { read } = bun;
  return {
    ...symbols,
    getpeereid: platform === "darwin" ? symbols.getpeereid : null,
    fcntl: platform === "linux" ? symbols.fcntl : null,
    syscall: platform === "linux" ? symbols.syscall : null,
    statx: platform === "linux" ? symbols.statx : null,
    socket: platform === "linux" ? symbols.socket : null,
    connect: platform === "linux" ? symbols.connect : null,
    poll: (entries, count) => symbols.poll(entries, count, 0),
    errno: () => read.i32(errnoLocation(), 0),
    address: (bytes) => BigInt(bun.ptr(bytes)),
  };
}
