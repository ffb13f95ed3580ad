import assert from "node:assert/strict";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import type { DenoFfi } from "../../ffi/deno_ffi.ts";
import { openProcFiles, procFiles } from "../../ffi/proc_files.ts";
import { deviceNumber } from "../../ffi/proc_layout.ts";
import { countFds } from "../support/fd_count.ts";

const isDeno = process.versions["deno"] !== undefined && process.platform === "linux";
const needsDeno = { skip: isDeno ? false : "only Deno on Linux needs /proc by native calls" };

function deno(state: string, dlopen: DenoFfi["dlopen"]): DenoFfi {
  return {
    build: { target: "x86_64-unknown-linux-gnu" },
    permissions: { querySync: () => ({ state }) },
    dlopen,
  };
}

test("procFiles() reads texts and links below /proc as the runtime does", needsDeno, () => {
  const files = procFiles()!;
  const stat = files.readText(`/proc/${process.pid}/stat`);
  assert.ok(stat.startsWith(`${process.pid} (`), stat);
  assert.equal(
    files.readText("/proc/sys/kernel/random/boot_id"),
    readFileSync("/proc/sys/kernel/random/boot_id", "utf8"),
  );
  assert.equal(files.readLink("/proc/self/exe"), readlinkSync("/proc/self/exe"));
});

test("procFiles() opens a process's executable: status and content are those of the file", needsDeno, () => {
  const file = procFiles()!.open("/proc/self/exe");
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(process.execPath, { bigint: true });
    const { mtimeNs, ctimeNs, ...seen } = file.status();
    assert.deepEqual(seen, { dev, ino, size });
    // Deno's own times end at the milliseconds, or at the seconds.
    assert.equal(mtimeNs / 1_000_000n, mtimeMs);
    assert.equal(ctimeNs / 1_000_000_000n, ctimeMs / 1_000n);
    const bytes = new Uint8Array(64);
    assert.equal(file.read(bytes, 1n), 64);
    assert.deepEqual([...bytes.subarray(0, 3)], [..."ELF"].map((letter) => letter.charCodeAt(0)));
    assert.equal(file.read(bytes, size), 0);
  } finally {
    file.close();
  }
});

test(
  "procFiles() says by the system's name why something cannot be read, and leaves nothing open",
  needsDeno,
  () => {
    const files = procFiles()!;
    const before = countFds();
    for (let round = 0; round < 20; round++) {
      files.readText("/proc/self/cgroup");
      for (const read of [files.readText, files.readLink, files.open]) {
        assert.throws(() => read("/proc/4194305/stat"), { code: "ENOENT" });
      }
      assert.throws(() => files.readLink("/proc/self/stat"), { code: "EINVAL" });
    }
    assert.equal(countFds(), before);
  },
);

test("procFiles() reads nothing but /proc", needsDeno, () => {
  const files = procFiles()!;
  const elsewhere = [
    "/etc/passwd",
    "/proc",
    "/proc/",
    "/proc/../etc/passwd",
    "/proc/self/../../etc/passwd",
    "/proc/a\0b",
  ];
  for (const path of elsewhere) {
    for (const read of [files.readText, files.readLink, files.open]) {
      assert.throws(() => read(path), RangeError, path);
    }
  }
});

test("procFiles() is not there where the runtime reads /proc by itself", () => {
  assert.equal(procFiles() !== undefined, isDeno);
});

test("openProcFiles() loads nothing that Deno has not granted, and does not ask for it", () => {
  let loads = 0;
  const dlopen = () => (loads++, { symbols: {} });
  for (const state of ["prompt", "denied"]) {
    assert.equal(openProcFiles(deno(state, dlopen), "x64"), undefined);
  }
  assert.equal(loads, 0);
  assert.notEqual(openProcFiles(deno("granted", dlopen), "x64"), undefined);
});

test("openProcFiles() is not there when no C library has the calls", () => {
  const broken = deno("granted", () => {
    throw new Error("no such symbol");
  });
  assert.equal(openProcFiles(broken, "x64"), undefined);
});

test("deviceNumber() puts the halves where stat has them", () => {
  assert.equal(deviceNumber(8, 1), 0x801n);
  assert.equal(deviceNumber(0xfff, 0xff), 0xfffffn);
  assert.equal(deviceNumber(0x12345, 0x67890), 0x1200067834590n);
});
