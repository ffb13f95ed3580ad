import type { Koffi } from "./koffi.ts";
import type { Libc, UnixPlatform } from "./libc.ts";

// koffi answers an "int64_t" with a number whenever it fits one.
const everywhere = {
  sendmsg: {
    parameters: [
      "int", // int fd
      "void *", // const struct msghdr *message
      "int", // int flags
    ],
    result: "int64_t",
  },
  recvmsg: {
    parameters: [
      "int", // int fd
      "void *", // struct msghdr *message
      "int", // int flags
    ],
    result: "int64_t",
  },
  send: {
    parameters: [
      "int", // int fd
      "void *", // const void *bytes
      "size_t", // size_t length
      "int", // int flags
    ],
    result: "int64_t",
  },
  recv: {
    parameters: [
      "int", // int fd
      "void *", // void *bytes
      "size_t", // size_t length
      "int", // int flags
    ],
    result: "int64_t",
  },
  getsockopt: {
    parameters: [
      "int", // int fd
      "int", // int level
      "int", // int option
      "void *", // void *value
      "void *", // socklen_t *length
    ],
    result: "int",
  },
  close: {
    parameters: [
      "int", // int fd
    ],
    result: "int",
  },
  dup: {
    parameters: [
      "int", // int fd
    ],
    result: "int",
  },
  dup2: {
    parameters: [
      "int", // int from
      "int", // int to
    ],
    result: "int",
  },
  ioctl: {
    parameters: [
      "int", // int fd
      "unsigned long", // unsigned long request
    ],
    result: "int",
  },
  flock: {
    parameters: [
      "int", // int fd
      "int", // int operation
    ],
    result: "int",
  },
  shutdown: {
    parameters: [
      "int", // int fd
      "int", // int how
    ],
    result: "int",
  },
  socketpair: {
    parameters: [
      "int", // int domain
      "int", // int type
      "int", // int protocol
      "void *", // int fds[2]
    ],
    result: "int",
  },
  poll: {
    parameters: [
      "void *", // struct pollfd *entries
      "size_t", // nfds_t count
      "int", // int timeout
    ],
    result: "int",
  },
  getuid: { parameters: [], result: "uint32_t" },
  geteuid: { parameters: [], result: "uint32_t" },
} as const;

const perPlatform = {
  linux: {
    fcntl: {
      parameters: [
        "int", // int fd
        "int", // int command
        "int", // int argument
      ],
      result: "int",
    },
    syscall: {
      parameters: [
        "int", // long number; ours are small and not negative, and arrive the same
        "int", // long first
        "int", // long second
      ],
      result: "int",
    },
    socket: {
      parameters: [
        "int", // int domain
        "int", // int type
        "int", // int protocol
      ],
      result: "int",
    },
    connect: {
      parameters: [
        "int", // int fd
        "void *", // const struct sockaddr *address
        "uint", // socklen_t length
      ],
      result: "int",
    },
    statx: {
      parameters: [
        "int", // int dirfd
        "void *", // const char *path
        "int", // int flags
        "uint", // unsigned mask
        "void *", // struct statx *status
      ],
      result: "int",
    },
  },
  darwin: {
    getpeereid: {
      parameters: [
        "int", // int fd
        "void *", // uid_t *uid
        "void *", // gid_t *gid
      ],
      result: "int",
    },
  },
} as const;

interface Functions extends Omit<Libc, "poll" | "errno" | "address"> {
  poll(entries: Uint8Array, count: number, timeoutMs: number): number;
}

/** The C library at an absolute path, through koffi. Throws when it cannot be loaded. */
export function openLibcWithKoffi(koffi: Koffi, path: string, platform: UnixPlatform): Libc {
  const library = koffi.load(path);
  const declared = Object.entries({ ...everywhere, ...perPlatform[platform] })
    .map(([name, { result, parameters }]) => [name, library.func(name, result, parameters)]);
  const functions = Object.fromEntries(declared) as Functions;
  return {
    ...functions,
    getpeereid: platform === "darwin" ? functions.getpeereid : null,
    fcntl: platform === "linux" ? functions.fcntl : null,
    syscall: platform === "linux" ? functions.syscall : null,
    statx: platform === "linux" ? functions.statx : null,
    socket: platform === "linux" ? functions.socket : null,
    connect: platform === "linux" ? functions.connect : null,
    poll: (entries, count) => functions.poll(entries, count, 0),
    errno: () => koffi.errno(),
    address: (bytes) => koffi.address(bytes),
  };
}
