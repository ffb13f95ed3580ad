// This module has no I/O.

import type { UnixPlatform } from "./libc.ts";

/**
 * The structs and constants of one kernel's C library, in bytes, for 64-bit little-endian processors.
 *
 * Lengths inside a message are written and read as 32 bits, whatever their declared width: glibc declares
 * `size_t` where musl declares 32 bits and padding, and both see the same number as long as the upper half is 0.
 */
export interface Layout {
  readonly platform: UnixPlatform;
  /** `struct msghdr`. */
  readonly message: {
    readonly bytes: number;
    readonly vectorOffset: number;
    readonly vectorCountOffset: number;
    readonly controlOffset: number;
    readonly controlLengthOffset: number;
    readonly flagsOffset: number;
  };
  /** `struct iovec`. */
  readonly vector: {
    readonly bytes: number;
    readonly baseOffset: number;
    readonly lengthOffset: number;
  };
  /** `struct cmsghdr`, its data and the alignment of the header that follows. */
  readonly control: {
    readonly lengthOffset: number;
    readonly levelOffset: number;
    readonly typeOffset: number;
    readonly dataOffset: number;
    readonly alignment: number;
  };
  /** `struct ucred`; `null` on macOS, which has `getpeereid`. */
  readonly credentials: {
    readonly bytes: number;
    readonly processIdOffset: number;
    readonly userIdOffset: number;
    readonly groupIdOffset: number;
  } | null;
  /** `struct pollfd`. */
  readonly poll: {
    readonly bytes: number;
    readonly fdOffset: number;
    readonly eventsOffset: number;
    readonly seenOffset: number;
  };
  /** Constants under their C names; 0 where this kernel lacks one. */
  readonly constants: {
    readonly AF_UNIX: number;
    readonly SOCK_STREAM: number;
    readonly SOCK_CLOEXEC: number;
    readonly SOCK_NONBLOCK: number;
    readonly SOL_SOCKET: number;
    readonly SCM_RIGHTS: number;
    readonly SO_PEERCRED: number;
    readonly MSG_PEEK: number;
    readonly MSG_DONTWAIT: number;
    readonly MSG_NOSIGNAL: number;
    readonly MSG_CTRUNC: number;
    readonly MSG_CMSG_CLOEXEC: number;
    readonly SHUT_RD: number;
    readonly SHUT_WR: number;
    readonly SHUT_RDWR: number;
    readonly POLLIN: number;
    readonly POLLHUP: number;
    readonly POLLRDHUP: number;
    readonly POLLNVAL: number;
    readonly F_DUPFD_CLOEXEC: number;
    readonly F_SETFL: number;
    readonly FIOCLEX: number;
    readonly LOCK_EX: number;
    readonly LOCK_NB: number;
  };
}

const shared = {
  vector: { bytes: 16, baseOffset: 0, lengthOffset: 8 },
  poll: { bytes: 8, fdOffset: 0, eventsOffset: 4, seenOffset: 6 },
} as const;

const linux: Layout = {
  ...shared,
  platform: "linux",
  message: {
    bytes: 56,
    vectorOffset: 16,
    vectorCountOffset: 24,
    controlOffset: 32,
    controlLengthOffset: 40,
    flagsOffset: 48,
  },
  control: { lengthOffset: 0, levelOffset: 8, typeOffset: 12, dataOffset: 16, alignment: 8 },
  credentials: { bytes: 12, processIdOffset: 0, userIdOffset: 4, groupIdOffset: 8 },
  constants: {
    AF_UNIX: 1,
    SOCK_STREAM: 1,
    SOCK_CLOEXEC: 0x80000,
    SOCK_NONBLOCK: 0x800,
    SOL_SOCKET: 1,
    SCM_RIGHTS: 1,
    SO_PEERCRED: 17,
    MSG_PEEK: 0x2,
    MSG_DONTWAIT: 0x40,
    MSG_NOSIGNAL: 0x4000,
    MSG_CTRUNC: 0x8,
    MSG_CMSG_CLOEXEC: 0x40000000,
    SHUT_RD: 0,
    SHUT_WR: 1,
    SHUT_RDWR: 2,
    POLLIN: 0x1,
    POLLHUP: 0x10,
    POLLRDHUP: 0x2000,
    POLLNVAL: 0x20,
    F_DUPFD_CLOEXEC: 1030,
    F_SETFL: 4,
    FIOCLEX: 0x5451,
    LOCK_EX: 2,
    LOCK_NB: 4,
  },
};

const darwin: Layout = {
  ...shared,
  platform: "darwin",
  message: {
    bytes: 48,
    vectorOffset: 16,
    vectorCountOffset: 24,
    controlOffset: 32,
    controlLengthOffset: 40,
    flagsOffset: 44,
  },
  control: { lengthOffset: 0, levelOffset: 4, typeOffset: 8, dataOffset: 12, alignment: 4 },
  credentials: null,
  constants: {
    AF_UNIX: 1,
    SOCK_STREAM: 1,
    SOCK_CLOEXEC: 0,
    SOCK_NONBLOCK: 0,
    SOL_SOCKET: 0xffff,
    SCM_RIGHTS: 1,
    SO_PEERCRED: 0,
    MSG_PEEK: 0x2,
    MSG_DONTWAIT: 0x80,
    MSG_NOSIGNAL: 0, // only recent systems have it; the runtimes ignore SIGPIPE
    MSG_CTRUNC: 0x20,
    MSG_CMSG_CLOEXEC: 0,
    SHUT_RD: 0,
    SHUT_WR: 1,
    SHUT_RDWR: 2,
    POLLIN: 0x1,
    POLLHUP: 0x10,
    POLLRDHUP: 0,
    POLLNVAL: 0x20,
    F_DUPFD_CLOEXEC: 67,
    F_SETFL: 4,
    FIOCLEX: 0x20006601,
    LOCK_EX: 2,
    LOCK_NB: 4,
  },
};

/** The layout of a platform, or `undefined` for a kernel or a processor whose layout is not known. */
export function layoutFor(platform: string, arch: string): Layout | undefined {
  if (arch !== "x64" && arch !== "arm64") return undefined;
  if (platform === "linux") return linux;
  return platform === "darwin" ? darwin : undefined;
}

/** `CMSG_LEN`: what `cmsg_len` says of a control message with so many bytes of data. */
export function controlLength(layout: Layout, dataBytes: number): number {
  return layout.control.dataOffset + dataBytes;
}

/** `CMSG_SPACE`: the room such a control message takes, with the padding behind it. */
export function controlSpace(layout: Layout, dataBytes: number): number {
  const { alignment } = layout.control;
  return Math.ceil(controlLength(layout, dataBytes) / alignment) * alignment;
}
