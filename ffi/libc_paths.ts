import { closeSync, openSync, readSync } from "node:fs";
import process from "node:process";
import type { UnixPlatform } from "./libc.ts";

/** Where an ELF file names its interpreter: right behind the headers, well inside the first page. */
const ELF_HEAD_BYTES = 4096;

const MACHINE_NAMES: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/**
 * The absolute paths under which the C library of this process may lie, most likely first.
 *
 * Absolute, because permissions are granted by path. A second C library in one process is fatal, so musl's path
 * is listed only for a process that was built for musl, and glibc's only for one that was not.
 *
 * @param isMusl Whether the process runs on musl; see {@linkcode runsOnMusl}.
 */
export function libcPaths(platform: UnixPlatform, arch: string, isMusl: boolean): readonly string[] {
  if (platform === "darwin") return ["/usr/lib/libSystem.B.dylib"];
  const machine = MACHINE_NAMES[arch];
  if (machine === undefined) return [];
  if (isMusl) return [`/lib/ld-musl-${machine}.so.1`];
  return [
    `/lib/${machine}-linux-gnu/libc.so.6`, // Debian and its family
    `/usr/lib/${machine}-linux-gnu/libc.so.6`,
    "/lib64/libc.so.6", // Red Hat, SUSE
    "/usr/lib64/libc.so.6",
    "/lib/libc.so.6",
    "/usr/lib/libc.so.6", // Arch
    "/usr/local/lib/libc.so.6", // Deno's image for Alpine, which brings glibc along
  ];
}

/** Whether the head of an ELF executable names musl's loader as its interpreter. */
export function namesMuslLoader(elfHead: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(elfHead).includes("/ld-musl-");
}

/** Whether the executable of this process was linked against musl. */
export function runsOnMusl(executablePath: string = process.execPath): boolean {
  try {
    const fd = openSync(executablePath, "r");
    try {
      const head = new Uint8Array(ELF_HEAD_BYTES);
      return namesMuslLoader(head.subarray(0, readSync(fd, head, 0, ELF_HEAD_BYTES, 0)));
    } finally {
      closeSync(fd);
    }
  } catch {
    // Unreadable: glibc is assumed. Where that is wrong its paths do not exist, and loading says so.
    return false;
  }
}
