import type { Koffi } from "./koffi.ts";
import type { Libc, UnixPlatform } from "./libc.ts";

/** The C library at an absolute path, through koffi. Throws when it cannot be loaded. */
export function openLibcWithKoffi(koffi: Koffi, path: string, platform: UnixPlatform): Libc {
  const library = koffi.load(path);
  const poll = library.func("poll", "int", [
    "void *", // struct pollfd *entries
    platform === "darwin" ? "unsigned int" : "unsigned long", // nfds_t count
    "int", // int timeout
  ]);
  return {
    sendmsg: library.func("sendmsg", "int64_t", [
      "int", // int fd
      "void *", // const struct msghdr *message
      "int", // int flags
    ]),
    recvmsg: library.func("recvmsg", "int64_t", [
      "int", // int fd
      "void *", // struct msghdr *message
      "int", // int flags
    ]),
    send: library.func("send", "int64_t", [
      "int", // int fd
      "void *", // const void *bytes
      "size_t", // size_t length
      "int", // int flags
    ]),
    recv: library.func("recv", "int64_t", [
      "int", // int fd
      "void *", // void *bytes
      "size_t", // size_t length
      "int", // int flags
    ]),
    getsockopt: library.func("getsockopt", "int", [
      "int", // int fd
      "int", // int level
      "int", // int option
      "void *", // void *value
      "void *", // socklen_t *length
    ]),
    getpeereid: platform === "linux" ? null : library.func("getpeereid", "int", [
      "int", // int fd
      "void *", // uid_t *uid
      "void *", // gid_t *gid
    ]),
    close: library.func("close", "int", [
      "int", // int fd
    ]),
    dup: library.func("dup", "int", [
      "int", // int fd
    ]),
    fcntl: platform === "darwin" ? null : library.func("fcntl", "int", [
      "int", // int fd
      "int", // int command
      "int", // int argument
    ]),
    ioctl: library.func("ioctl", "int", [
      "int", // int fd
      "unsigned long", // unsigned long request
    ]),
    shutdown: library.func("shutdown", "int", [
      "int", // int fd
      "int", // int how
    ]),
    socketpair: library.func("socketpair", "int", [
      "int", // int domain
      "int", // int type
      "int", // int protocol
      "void *", // int fds[2]
    ]),
    poll: (entries, count) => poll(entries, count, 0),
    getuid: library.func("getuid", "uint32_t", []),
    geteuid: library.func("geteuid", "uint32_t", []),
    errno: () => koffi.errno(),
    address: (bytes) => koffi.address(bytes),
  };
}
