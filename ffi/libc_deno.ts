import type { DenoFfi } from "./deno_ffi.ts";
import type { Libc, UnixPlatform } from "./libc.ts";

// A `ssize_t` is read as its low half ("i32"): no call here moves 2 GiB, and the bigint that "isize" makes costs
// half as much again as the call.
const everywhere = {
  sendmsg: {
    parameters: [
      "i32", // int fd
      "buffer", // const struct msghdr *message
      "i32", // int flags
    ],
    result: "i32",
  },
  recvmsg: {
    parameters: [
      "i32", // int fd
      "buffer", // struct msghdr *message
      "i32", // int flags
    ],
    result: "i32",
  },
  send: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *bytes
      "usize", // size_t length
      "i32", // int flags
    ],
    result: "i32",
  },
  recv: {
    parameters: [
      "i32", // int fd
      "buffer", // void *bytes
      "usize", // size_t length
      "i32", // int flags
    ],
    result: "i32",
  },
  getsockopt: {
    parameters: [
      "i32", // int fd
      "i32", // int level
      "i32", // int option
      "buffer", // void *value
      "buffer", // socklen_t *length
    ],
    result: "i32",
  },
  close: {
    parameters: [
      "i32", // int fd
    ],
    result: "i32",
  },
  dup: {
    parameters: [
      "i32", // int fd
    ],
    result: "i32",
  },
  dup2: {
    parameters: [
      "i32", // int from
      "i32", // int to
    ],
    result: "i32",
  },
  ioctl: {
    parameters: [
      "i32", // int fd
      "usize", // unsigned long request
    ],
    result: "i32",
  },
  flock: {
    parameters: [
      "i32", // int fd
      "i32", // int operation
    ],
    result: "i32",
  },
  shutdown: {
    parameters: [
      "i32", // int fd
      "i32", // int how
    ],
    result: "i32",
  },
  socketpair: {
    parameters: [
      "i32", // int domain
      "i32", // int type
      "i32", // int protocol
      "buffer", // int fds[2]
    ],
    result: "i32",
  },
  poll: {
    parameters: [
      "buffer", // struct pollfd *entries
      "usize", // nfds_t count
      "i32", // int timeout
    ],
    result: "i32",
  },
  getuid: { parameters: [], result: "u32" },
  geteuid: { parameters: [], result: "u32" },
  // `Deno.UnsafePointer` and its views want the whole of `--allow-ffi`. The library's own memcpy answers with the
  // address of its first argument and reads behind a pointer, and needs no more than the library's path.
  memcpy: {
    parameters: [
      "buffer", // void *to
      "usize", // const void *from
      "usize", // size_t length
    ],
    result: "usize",
  },
} as const;

const perPlatform = {
  linux: {
    errnoLocation: { name: "__errno_location", parameters: [], result: "usize" },
    fcntl: {
      parameters: [
        "i32", // int fd
        "i32", // int command
        "i32", // int argument
      ],
      result: "i32",
    },
    syscall: {
      parameters: [
        "i32", // long number; ours are small and not negative, and arrive the same
        "i32", // long first
        "i32", // long second
      ],
      result: "i32",
    },
    socket: {
      parameters: [
        "i32", // int domain
        "i32", // int type
        "i32", // int protocol
      ],
      result: "i32",
    },
    connect: {
      parameters: [
        "i32", // int fd
        "buffer", // const struct sockaddr *address
        "u32", // socklen_t length
      ],
      result: "i32",
    },
    statx: {
      parameters: [
        "i32", // int dirfd
        "buffer", // const char *path
        "i32", // int flags
        "u32", // unsigned mask
        "buffer", // struct statx *status
      ],
      result: "i32",
    },
  },
  darwin: {
    errnoLocation: { name: "__error", parameters: [], result: "usize" },
    getpeereid: {
      parameters: [
        "i32", // int fd
        "buffer", // uid_t *uid
        "buffer", // gid_t *gid
      ],
      result: "i32",
    },
  },
} as const;

interface Symbols extends Omit<Libc, "poll" | "errno" | "address"> {
  poll(entries: Uint8Array, count: number, timeoutMs: number): number;
  memcpy(to: Uint8Array, from: bigint, length: number): bigint;
  errnoLocation(): bigint;
}

/** The C library at an absolute path, through `Deno.dlopen`. Throws when it cannot be loaded. */
export function openLibcInDeno(deno: DenoFfi, path: string, platform: UnixPlatform): Libc {
  const symbols = deno.dlopen(path, { ...everywhere, ...perPlatform[platform] }).symbols as Symbols;
  const errnoBytes = new Uint8Array(new ArrayBuffer(4));
  const errnoValue = new Int32Array(errnoBytes.buffer);
  return {
    ...symbols,
    getpeereid: platform === "darwin" ? symbols.getpeereid : null,
    fcntl: platform === "linux" ? symbols.fcntl : null,
    syscall: platform === "linux" ? symbols.syscall : null,
    statx: platform === "linux" ? symbols.statx : null,
    socket: platform === "linux" ? symbols.socket : null,
    connect: platform === "linux" ? symbols.connect : null,
    poll: (entries, count) => symbols.poll(entries, count, 0),
    errno() {
      symbols.memcpy(errnoBytes, symbols.errnoLocation(), 4);
      return errnoValue[0]!;
    },
    address: (bytes) => symbols.memcpy(bytes, symbols.errnoLocation(), 0),
  };
}
