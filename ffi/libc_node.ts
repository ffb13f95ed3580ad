import type { Libc, UnixPlatform } from "./libc.ts";
import type { NodeFfi } from "./node_ffi.ts";

const everywhere = {
  sendmsg: {
    arguments: [
      "int32", // int fd
      "buffer", // const struct msghdr *message
      "int32", // int flags
    ],
    return: "int64",
  },
  recvmsg: {
    arguments: [
      "int32", // int fd
      "buffer", // struct msghdr *message
      "int32", // int flags
    ],
    return: "int64",
  },
  send: {
    arguments: [
      "int32", // int fd
      "buffer", // const void *bytes
      "uint64", // size_t length
      "int32", // int flags
    ],
    return: "int64",
  },
  recv: {
    arguments: [
      "int32", // int fd
      "buffer", // void *bytes
      "uint64", // size_t length
      "int32", // int flags
    ],
    return: "int64",
  },
  getsockopt: {
    arguments: [
      "int32", // int fd
      "int32", // int level
      "int32", // int option
      "buffer", // void *value
      "buffer", // socklen_t *length
    ],
    return: "int32",
  },
  close: {
    arguments: [
      "int32", // int fd
    ],
    return: "int32",
  },
  dup: {
    arguments: [
      "int32", // int fd
    ],
    return: "int32",
  },
  dup2: {
    arguments: [
      "int32", // int from
      "int32", // int to
    ],
    return: "int32",
  },
  ioctl: {
    arguments: [
      "int32", // int fd
      "uint64", // unsigned long request
    ],
    return: "int32",
  },
  flock: {
    arguments: [
      "int32", // int fd
      "int32", // int operation
    ],
    return: "int32",
  },
  shutdown: {
    arguments: [
      "int32", // int fd
      "int32", // int how
    ],
    return: "int32",
  },
  socketpair: {
    arguments: [
      "int32", // int domain
      "int32", // int type
      "int32", // int protocol
      "buffer", // int fds[2]
    ],
    return: "int32",
  },
  poll: {
    arguments: [
      "buffer", // struct pollfd *entries
      "uint64", // nfds_t count
      "int32", // int timeout
    ],
    return: "int32",
  },
  getuid: { arguments: [], return: "uint32" },
  geteuid: { arguments: [], return: "uint32" },
} as const;

const perPlatform = {
  linux: {
    __errno_location: { arguments: [], return: "pointer" },
    fcntl: {
      arguments: [
        "int32", // int fd
        "int32", // int command
        "int32", // int argument
      ],
      return: "int32",
    },
    syscall: {
      arguments: [
        "int32", // long number; ours are small and not negative, and arrive the same
        "int32", // long first
        "int32", // long second
      ],
      return: "int32",
    },
    socket: {
      arguments: [
        "int32", // int domain
        "int32", // int type
        "int32", // int protocol
      ],
      return: "int32",
    },
    connect: {
      arguments: [
        "int32", // int fd
        "buffer", // const struct sockaddr *address
        "uint32", // socklen_t length
      ],
      return: "int32",
    },
    statx: {
      arguments: [
        "int32", // int dirfd
        "buffer", // const char *path
        "int32", // int flags
        "uint32", // unsigned mask
        "buffer", // struct statx *status
      ],
      return: "int32",
    },
  },
  darwin: {
    __error: { arguments: [], return: "pointer" },
    getpeereid: {
      arguments: [
        "int32", // int fd
        "buffer", // uid_t *uid
        "buffer", // gid_t *gid
      ],
      return: "int32",
    },
  },
} as const;

type Renamed = "sendmsg" | "recvmsg" | "send" | "recv" | "ioctl" | "poll" | "errno" | "address";

/** The functions as node:ffi makes them: what is 64 bits wide in C is a bigint, both ways. */
interface Functions extends Omit<Libc, Renamed> {
  sendmsg(fd: number, message: Uint8Array, flags: number): bigint;
  recvmsg(fd: number, message: Uint8Array, flags: number): bigint;
  send(fd: number, bytes: Uint8Array, length: bigint, flags: number): bigint;
  recv(fd: number, bytes: Uint8Array, length: bigint, flags: number): bigint;
  ioctl(fd: number, request: bigint): number;
  poll(entries: Uint8Array, count: bigint, timeoutMs: number): number;
  __errno_location(): bigint;
  __error(): bigint;
}

/** The C library at an absolute path, through `node:ffi`. Throws when it cannot be loaded. */
export function openLibcInNode(node: NodeFfi, path: string, platform: UnixPlatform): Libc {
  const functions = node.dlopen(path, { ...everywhere, ...perPlatform[platform] }).functions as Functions;
  const errnoLocation = platform === "darwin" ? functions.__error : functions.__errno_location;
  return {
    ...functions,
    sendmsg: (fd, message, flags) => Number(functions.sendmsg(fd, message, flags)),
    recvmsg: (fd, message, flags) => Number(functions.recvmsg(fd, message, flags)),
    send: (fd, bytes, length, flags) => Number(functions.send(fd, bytes, BigInt(length), flags)),
    recv: (fd, bytes, length, flags) => Number(functions.recv(fd, bytes, BigInt(length), flags)),
    getpeereid: platform === "darwin" ? functions.getpeereid : null,
    fcntl: platform === "linux" ? functions.fcntl : null,
    syscall: platform === "linux" ? functions.syscall : null,
    statx: platform === "linux" ? functions.statx : null,
    socket: platform === "linux" ? functions.socket : null,
    connect: platform === "linux" ? functions.connect : null,
    ioctl: (fd, request) => functions.ioctl(fd, BigInt(request)),
    poll: (entries, count) => functions.poll(entries, BigInt(count), 0),
    errno: () => node.getInt32(errnoLocation(), 0),
    address: (bytes) => node.getRawPointer(bytes),
  };
}
