// This module has no I/O.

/**
 * The C library as this project uses it: a few synchronous functions over plain numbers.
 *
 * Nothing is interpreted here. Each call returns what C returns, -1 on failure; the reason is then in
 * {@linkcode Libc.errno}, which must be read in the very next statement. Buffers are read and written in place
 * during the call only, so they need not outlive it, except those whose address was stored in a struct.
 */
export interface Libc {
  /** Sends one message. `message` begins with its `struct msghdr`. */
  sendmsg(fd: number, message: Uint8Array, flags: number): number;
  /** Receives one message. `message` begins with its `struct msghdr`. */
  recvmsg(fd: number, message: Uint8Array, flags: number): number;
  /** Sends the first `length` bytes. */
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  /** Receives at most `length` bytes, to the front of `bytes`. */
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  /** Reads a socket option. `length` is a `socklen_t`: room in, bytes written out. */
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number;
  /** The user and group of the peer, each a `u32`; `null` on Linux, which has `SO_PEERCRED` instead. */
  readonly getpeereid: ((fd: number, uid: Uint8Array, gid: Uint8Array) => number) | null;
  /** Closes a descriptor. Never repeat it: after any error other than EBADF the number is free again. */
  close(fd: number): number;
  /** Duplicates a descriptor, without close-on-exec. */
  dup(fd: number): number;
  /** Makes the number `to` another one of what is open as `from`, without close-on-exec; what it was is closed. */
  dup2(from: number, to: number): number;
  /**
   * A descriptor command with an integer argument; `null` on macOS. There, on arm64, the argument of a variadic
   * function belongs on the stack, where no foreign function interface puts it.
   */
  readonly fcntl: ((fd: number, command: number, argument: number) => number) | null;
  /** A system call of two small numbers; `null` on macOS, where it is not to be used. */
  readonly syscall: ((number: number, first: number, second: number) => number) | null;
  /** A device request that takes no argument, which makes this variadic function safe everywhere. */
  ioctl(fd: number, request: number): number;
  /** The status of a file; `null` on macOS. `path` ends with a zero byte. */
  readonly statx:
    | ((
      directory: number,
      path: Uint8Array<ArrayBuffer>,
      flags: number,
      mask: number,
      status: Uint8Array<ArrayBuffer>,
    ) => number)
    | null;
  /** Locks or unlocks an open file for everybody who has this very opening of it. */
  flock(fd: number, operation: number): number;
  /** Shuts one or both directions of a connection down, for every process that shares it. */
  shutdown(fd: number, how: number): number;
  /** Makes a socket; `null` on macOS, which cannot make one that neither waits nor is inherited in one step. */
  readonly socket: ((domain: number, type: number, protocol: number) => number) | null;
  /** Connects a socket to the address in the first `length` bytes; `null` on macOS. */
  readonly connect: ((fd: number, address: Uint8Array<ArrayBuffer>, length: number) => number) | null;
  /** Makes two connected sockets; `fds` receives two `i32`. */
  socketpair(domain: number, type: number, protocol: number, fds: Uint8Array): number;
  /** Tells what `count` descriptors are ready for, at once: there is no timeout to pass. */
  poll(entries: Uint8Array, count: number): number;
  /** The user this process was started by. */
  getuid(): number;
  /** The user this process acts as. */
  geteuid(): number;
  /** Why the call just made failed. Only meaningful after a -1. */
  errno(): number;
  /** Where the first byte of `bytes` is. Valid while the same explicitly made `ArrayBuffer` is referenced. */
  address(bytes: Uint8Array): bigint;
}

/** Which foreign function interface the C library was reached through. */
export type LibcBinding = "deno" | "bun" | "node:ffi" | "koffi";

/** The kernels whose C library this project calls, as `process.platform` names them. */
export type UnixPlatform = "linux" | "darwin";
