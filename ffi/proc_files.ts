import process from "node:process";
import { type DenoFfi, denoFfi } from "./deno_ffi.ts";
import { ErrnoTable } from "./errno.ts";
import { libcPaths } from "./libc_paths.ts";
import { deviceNumber, PROC_LAYOUT } from "./proc_layout.ts";

/** The status of an open file, as far as it tells one state of a file from another. */
export interface ProcFileStatus {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** A file that was opened by a path below `/proc`. Whoever opened it closes it, once. */
export interface ProcFile {
  /** Its status now. */
  status(): ProcFileStatus;
  /** Reads to the front of `bytes`. @returns How many bytes there were; 0 at the end. */
  read(bytes: Uint8Array, position: bigint): number;
  /** Gives the descriptor up. */
  close(): void;
}

/**
 * Linux's `/proc` by calls of the C library.
 *
 * Deno reads nothing below `/proc` without `--allow-all`, whatever else it is allowed. A process that may call the
 * C library needs no more than that to find out who its peers are. Errors have the system's name as their `code`.
 */
export interface ProcFiles {
  /** The text of a short file. */
  readText(path: string): string;
  /** Where a link points. */
  readLink(path: string): string;
  /** Opens a file for reading. */
  open(path: string): ProcFile;
}

interface Symbols {
  open(path: Uint8Array, flags: number): number;
  close(fd: number): number;
  pread(fd: number, bytes: Uint8Array, length: number, position: bigint): bigint;
  readlink(path: Uint8Array, bytes: Uint8Array, length: number): bigint;
  statx(fd: number, path: Uint8Array, flags: number, mask: number, status: Uint8Array): number;
  memcpy(to: Uint8Array, from: bigint, length: number): bigint;
  errnoLocation(): bigint;
}

const SYMBOLS = {
  open: {
    parameters: [
      "buffer", // const char *path
      "i32", // int flags; no mode behind it, as nothing is created
    ],
    result: "i32",
  },
  close: {
    parameters: [
      "i32", // int fd
    ],
    result: "i32",
  },
  pread: {
    parameters: [
      "i32", // int fd
      "buffer", // void *bytes
      "usize", // size_t length
      "i64", // off_t position
    ],
    result: "i64",
  },
  readlink: {
    parameters: [
      "buffer", // const char *path
      "buffer", // char *bytes
      "usize", // size_t length
    ],
    result: "i64",
  },
  statx: {
    parameters: [
      "i32", // int fd
      "buffer", // const char *path
      "i32", // int flags
      "u32", // unsigned mask
      "buffer", // struct statx *status
    ],
    result: "i32",
  },
  memcpy: {
    parameters: [
      "buffer", // void *to
      "usize", // const void *from
      "usize", // size_t length
    ],
    result: "usize",
  },
  errnoLocation: { name: "__errno_location", parameters: [], result: "usize" },
} as const;

let loaded: { readonly files: ProcFiles | undefined } | undefined;

/**
 * `/proc` by native calls, once per process; `undefined` outside of Deno on Linux, where it is not needed, and
 * where Deno may not call the C library. It never prompts.
 */
export function procFiles(): ProcFiles | undefined {
  const isDenoOnLinux = process.versions["deno"] !== undefined && process.platform === "linux";
  return (loaded ??= { files: isDenoOnLinux ? openProcFiles(denoFfi(), process.arch) : undefined }).files;
}

/** The same through what `deno` offers, for tests. */
export function openProcFiles(deno: DenoFfi, arch: string): ProcFiles | undefined {
  for (const path of libcPaths("linux", arch, deno.build.target.includes("musl"))) {
    if (deno.permissions.querySync({ name: "ffi", path }).state !== "granted") continue;
    try {
      return createProcFiles(deno.dlopen(path, SYMBOLS).symbols as Symbols);
    } catch {
      // Not there, or too old to have all of them: another path may do, and else Deno's own answer stands.
    }
  }
  return undefined;
}

function createProcFiles(calls: Symbols): ProcFiles {
  const { fileBytesMax, linkBytesMax, openFlags } = PROC_LAYOUT;
  const check = (result: number | bigint, act: string, path: string): number => {
    if (result >= 0) return Number(result);
    throw systemError(calls, act, path);
  };
  const open = (path: string): ProcFile => {
    const name = pathBytes(path);
    const fd = check(calls.open(name, openFlags), "open", path);
    return {
      status: () => statusOf(calls, fd, path),
      read: (bytes, position) => check(calls.pread(fd, bytes, bytes.length, position), "read", path),
      close: () => void calls.close(fd),
    };
  };
  return {
    open,
    readText(path) {
      const file = open(path);
      try {
        const bytes = new Uint8Array(new ArrayBuffer(fileBytesMax));
        return new TextDecoder().decode(bytes.subarray(0, file.read(bytes, 0n)));
      } finally {
        file.close();
      }
    },
    readLink(path) {
      const bytes = new Uint8Array(new ArrayBuffer(linkBytesMax));
      const name = pathBytes(path);
      const length = check(calls.readlink(name, bytes, bytes.length), "read the link", path);
      return new TextDecoder().decode(bytes.subarray(0, length));
    },
  };
}

function statusOf(calls: Symbols, fd: number, path: string): ProcFileStatus {
  const { statx } = PROC_LAYOUT;
  const status = new Uint8Array(new ArrayBuffer(statx.bytes));
  const result = calls.statx(fd, new Uint8Array(new ArrayBuffer(1)), statx.emptyPath, statx.mask, status);
  if (result !== 0) throw systemError(calls, "look at", path);
  const view = new DataView(status.buffer);
  const timeNs = (offset: number) =>
    view.getBigInt64(offset, true) * 1_000_000_000n + BigInt(view.getUint32(offset + 8, true));
  return {
    dev: deviceNumber(view.getUint32(statx.devMajor, true), view.getUint32(statx.devMinor, true)),
    ino: view.getBigUint64(statx.ino, true),
    size: view.getBigUint64(statx.size, true),
    mtimeNs: timeNs(statx.mtime),
    ctimeNs: timeNs(statx.ctime),
  };
}

/** A path as C wants it. Only `/proc` is read this way: what Deno forbids elsewhere stays forbidden. */
function pathBytes(path: string): Uint8Array {
  const [root, proc, ...names] = path.split("/");
  const isBelow = root === "" && proc === "proc" && names.length > 0 && !path.includes("\0") &&
    names.every((name) => name !== "" && name !== "." && name !== "..");
  if (!isBelow) throw new RangeError(`Cannot read "${path}": it is not below /proc`);
  return new TextEncoder().encode(`${path}\0`);
}

function systemError(calls: Symbols, act: string, path: string): Error {
  const number = new Int32Array(1);
  calls.memcpy(new Uint8Array(number.buffer), calls.errnoLocation(), number.byteLength);
  const code = new ErrnoTable("linux").nameOf(number[0]!);
  return Object.assign(new Error(`${code}: cannot ${act} "${path}"`), { code });
}
