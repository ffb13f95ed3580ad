import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Libc, UnixPlatform } from "../../ffi/libc.ts";
import { openLibcInBun } from "../../ffi/libc_bun.ts";
import { openLibcInDeno } from "../../ffi/libc_deno.ts";
import { openLibcWithKoffi } from "../../ffi/libc_koffi.ts";
import { openLibcInNode } from "../../ffi/libc_node.ts";

type Arguments = readonly unknown[];

/** A foreign function interface that records which functions are asked for, and every call of them. */
class RecordingFfi {
  readonly parameters = new Map<string, number>();
  readonly calls: [name: string, ...Arguments][] = [];

  declare(name: string, parameters: readonly string[]): (...args: Arguments) => unknown {
    this.parameters.set(name, parameters.length);
    return (...args) => {
      this.calls.push([name, ...args]);
      return 0;
    };
  }

  declareAll<Entry>(
    table: Readonly<Record<string, Entry>>,
    parametersOf: (entry: Entry) => readonly string[],
  ) {
    // Every function is there, as on a system that has more than the table asks for.
    const functions: Record<string, unknown> = {
      fcntl: () => 0,
      getpeereid: () => 0,
      syscall: () => 0,
      statx: () => 0,
    };
    for (const [name, entry] of Object.entries(table)) {
      functions[name] = this.declare(name, parametersOf(entry));
    }
    return functions;
  }
}

const openers: Readonly<Record<string, (ffi: RecordingFfi, platform: UnixPlatform) => Libc>> = {
  deno(ffi, platform) {
    const permissions = { querySync: () => ({ state: "granted" }) };
    const dlopen = (_path: string, table: Parameters<Parameters<typeof openLibcInDeno>[0]["dlopen"]>[1]) => {
      const renamed = Object.fromEntries(
        Object.entries(table).map(([name, symbol]) => [symbol.name ?? name, symbol]),
      );
      const symbols = ffi.declareAll(renamed, ({ parameters }) => parameters);
      return { symbols: { ...symbols, errnoLocation: symbols["__error"] ?? symbols["__errno_location"] } };
    };
    return openLibcInDeno({ build: { target: "" }, permissions, dlopen }, "/libc", platform);
  },
  bun(ffi, platform) {
    const dlopen = (_path: string, table: Parameters<Parameters<typeof openLibcInBun>[0]["dlopen"]>[1]) => ({
      symbols: ffi.declareAll(table, ({ args }) => args),
    });
    return openLibcInBun({ dlopen, ptr: () => 0, read: { i32: () => 0 } }, "/libc", platform);
  },
  node(ffi, platform) {
    const dlopen = (_path: string, table: Parameters<Parameters<typeof openLibcInNode>[0]["dlopen"]>[1]) => ({
      functions: ffi.declareAll(table, (entry) => entry.arguments),
    });
    return openLibcInNode({ dlopen, getInt32: () => 0, getRawPointer: () => 0n }, "/libc", platform);
  },
  koffi(ffi, platform) {
    const func = (name: string, _result: string, parameters: readonly string[]) =>
      ffi.declare(name, parameters) as (...args: Arguments) => number;
    return openLibcWithKoffi(
      { load: () => ({ func }), errno: () => 0, address: () => 0n },
      "/libc",
      platform,
    );
  },
};

/** The functions that only reach the errno or an address, which every interface does its own way. */
const OWN_WAYS = ["memcpy", "__errno_location", "__error"];

const LINUX_ONLY = ["fcntl", "syscall", "statx", "socket", "connect"] as const;

const wanted = {
  sendmsg: 3,
  recvmsg: 3,
  send: 4,
  recv: 4,
  getsockopt: 5,
  close: 1,
  dup: 1,
  dup2: 2,
  ioctl: 2,
  flock: 2,
  shutdown: 2,
  socketpair: 4,
  poll: 3,
  getuid: 0,
  geteuid: 0,
};

describe("C library tables", () => {
  for (const [name, open] of Object.entries(openers)) {
    test(`${name} declares what linux needs, and nothing that is only elsewhere`, () => {
      const ffi = new RecordingFfi();
      const libc = open(ffi, "linux");
      const declared = [...ffi.parameters].filter(([symbol]) => !OWN_WAYS.includes(symbol));
      assert.deepEqual(Object.fromEntries(declared), {
        ...wanted,
        fcntl: 3,
        syscall: 3,
        statx: 5,
        socket: 3,
        connect: 3,
      });
      assert.equal(ffi.parameters.has("__error"), false);
      assert.equal(libc.getpeereid, null);
      for (const name of LINUX_ONLY) assert.equal(typeof libc[name], "function");
    });

    test(`${name} declares what darwin needs, and nothing that is only elsewhere`, () => {
      const ffi = new RecordingFfi();
      const libc = open(ffi, "darwin");
      const declared = [...ffi.parameters].filter(([symbol]) => !OWN_WAYS.includes(symbol));
      assert.deepEqual(Object.fromEntries(declared), { ...wanted, getpeereid: 3 });
      assert.equal(ffi.parameters.has("__errno_location"), false);
      for (const name of LINUX_ONLY) assert.equal(libc[name], null);
      assert.equal(typeof libc.getpeereid, "function");
    });

    test(`${name} passes arguments in the order of C, and no time to wait to poll`, () => {
      const ffi = new RecordingFfi();
      const libc = open(ffi, "linux");
      const bytes = new Uint8Array(8);
      libc.poll(bytes, 1);
      libc.send(5, bytes, 8, 64);
      libc.recv(6, bytes, 7, 2);
      libc.ioctl(5, 0x5451);
      libc.flock(7, 6);
      libc.syscall?.(434, 99, 0);
      libc.statx?.(-100, bytes, 256, 3, bytes);
      libc.socket?.(1, 2, 3);
      libc.connect?.(5, bytes, 8);
      libc.sendmsg(5, bytes, 64);
      libc.recvmsg(6, bytes, 2);
      const numbers = ffi.calls.map((call) => call.map((arg) => typeof arg === "bigint" ? Number(arg) : arg));
      assert.deepEqual(numbers, [
        ["poll", bytes, 1, 0],
        ["send", 5, bytes, 8, 64],
        ["recv", 6, bytes, 7, 2],
        ["ioctl", 5, 0x5451],
        ["flock", 7, 6],
        ["syscall", 434, 99, 0],
        ["statx", -100, bytes, 256, 3, bytes],
        ["socket", 1, 2, 3],
        ["connect", 5, bytes, 8],
        ["sendmsg", 5, bytes, 64],
        ["recvmsg", 6, bytes, 2],
      ]);
    });
  }
});
