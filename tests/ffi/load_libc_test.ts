import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DenoFfi } from "../../ffi/deno_ffi.ts";
import { describeKoffiFailure, type Koffi } from "../../ffi/koffi.ts";
import { type LibcHost, openLibc } from "../../ffi/load_libc.ts";
import type { NodeFfi } from "../../ffi/node_ffi.ts";

const notAsked = (): never => {
  throw new Error("asked for another runtime's calls");
};
const missing = (path: string): never => {
  throw new Error(`${path}: cannot open`);
};

function host(parts: Partial<LibcHost>): LibcHost {
  return {
    runtime: "node",
    platform: "linux",
    arch: "x64",
    runsOnMusl: () => false,
    denoFfi: notAsked,
    loadBunFfi: notAsked,
    loadNodeFfi: notAsked,
    loadKoffi: notAsked,
    ...parts,
  };
}

async function reasonOf(parts: Partial<LibcHost>): Promise<string> {
  const result = await openLibc(host(parts));
  assert.ok(!result.ok, "loaded");
  return result.reason;
}

function denoWith(
  granted: readonly string[],
  dlopen: DenoFfi["dlopen"],
  target = "x86_64-unknown-linux-gnu",
): DenoFfi {
  const querySync = ({ path }: { path: string }) => ({
    state: granted.includes(path) ? "granted" : "prompt",
  });
  return { build: { target }, permissions: { querySync }, dlopen };
}

const workingNode = (paths: string[]): NodeFfi => ({
  dlopen: (path) => (paths.push(path), { functions: {} }),
  getInt32: () => 0,
  getRawPointer: () => 0n,
});
const workingKoffi: Koffi = { load: () => ({ func: () => () => 0 }), errno: () => 0, address: () => 0n };

describe("openLibc()", () => {
  test("names a kernel and a processor that have no C library here", async () => {
    assert.equal(await reasonOf({ platform: "win32" }), "Native calls need linux or darwin, this is win32");
    const loadNodeFfi = () => workingNode([]);
    const loadKoffi = () => Promise.resolve({ ok: true, koffi: workingKoffi } as const);
    assert.match(
      await reasonOf({ arch: "ppc64", loadNodeFfi, loadKoffi }),
      /no path is known for this processor/,
    );
  });

  test("Deno tries granted paths only, in order", async () => {
    const tried: string[] = [];
    const deno = denoWith(["/usr/lib64/libc.so.6", "/lib64/libc.so.6"], (path) => {
      tried.push(path);
      return path === "/lib64/libc.so.6" ? missing(path) : { symbols: {} };
    });
    const result = await openLibc(host({ runtime: "deno", denoFfi: () => deno }));
    assert.ok(result.ok);
    assert.equal(result.binding, "deno");
    assert.equal(result.path, "/usr/lib64/libc.so.6");
    assert.deepEqual(tried, ["/lib64/libc.so.6", "/usr/lib64/libc.so.6"]);
  });

  test("Deno without a grant opens nothing and names the flag, first of all the likely one", async () => {
    const reason = await reasonOf({ runtime: "deno", denoFfi: () => denoWith([], notAsked) });
    assert.match(
      reason,
      /run with --allow-ffi=\/lib\/x86_64-linux-gnu\/libc\.so\.6 \(or, where that file is missing/,
    );
    assert.match(reason, / or \/lib64\/libc\.so\.6 or /);
    const onMac = await reasonOf({
      runtime: "deno",
      platform: "darwin",
      arch: "arm64",
      denoFfi: () => denoWith([], notAsked),
    });
    assert.equal(
      onMac,
      "Deno may not call the C library: run with --allow-ffi=/usr/lib/libSystem.B.dylib",
    );
  });

  test("a Deno built for musl is offered musl, another never", async () => {
    const musl = "/lib/ld-musl-x86_64.so.1";
    const open = (target: string) =>
      openLibc(host({
        runtime: "deno",
        denoFfi: () => denoWith([musl], () => ({ symbols: {} }), target),
      }));
    assert.equal((await open("x86_64-alpine-linux-musl")).ok, true);
    assert.equal((await open("x86_64-unknown-linux-gnu")).ok, false);
  });

  test("Node prefers node:ffi and does not even look for koffi then", async () => {
    const paths: string[] = [];
    const result = await openLibc(host({ loadNodeFfi: () => workingNode(paths) }));
    assert.ok(result.ok);
    assert.equal(result.binding, "node:ffi");
    assert.deepEqual(paths, ["/lib/x86_64-linux-gnu/libc.so.6"]);
  });

  test("Node falls back to koffi when node:ffi is missing or does not load the library", async () => {
    const loadKoffi = () => Promise.resolve({ ok: true, koffi: workingKoffi } as const);
    const failing = { ...workingNode([]), dlopen: missing };
    for (const loadNodeFfi of [() => undefined, () => failing]) {
      const result = await openLibc(host({ loadNodeFfi, loadKoffi }));
      assert.ok(result.ok);
      assert.equal(result.binding, "koffi");
    }
  });

  test("Node without either is told what to install", async () => {
    const reason = describeKoffiFailure({ code: "ERR_MODULE_NOT_FOUND", message: "Cannot find package" });
    const loadKoffi = () => Promise.resolve({ ok: false, reason } as const);
    assert.equal(
      await reasonOf({ loadNodeFfi: () => undefined, loadKoffi }),
      "This Node has no node:ffi; the optional package koffi is not installed: run `npm install koffi`",
    );
  });

  test("failures of both of Node's ways are told, each once", async () => {
    const denied = () => {
      throw new Error("Use --allow-ffi");
    };
    const koffi = { ...workingKoffi, load: missing };
    const reason = await reasonOf({
      platform: "darwin",
      loadNodeFfi: () => ({ ...workingNode([]), dlopen: denied }),
      loadKoffi: () => Promise.resolve({ ok: true, koffi } as const),
    });
    assert.equal(
      reason,
      "The C library does not load with node:ffi: Use --allow-ffi; " +
        "The C library does not load with koffi: /usr/lib/libSystem.B.dylib: cannot open",
    );
  });

  test("Bun opens the path of the libc it was built for", async () => {
    const paths: string[] = [];
    const bun = {
      dlopen: (path: string) => (paths.push(path), { symbols: {} }),
      ptr: () => 0,
      read: { i32: () => 0 },
    };
    const loadBunFfi = () => Promise.resolve(bun);
    const result = await openLibc(
      host({ runtime: "bun", arch: "arm64", runsOnMusl: () => true, loadBunFfi }),
    );
    assert.ok(result.ok);
    assert.equal(result.binding, "bun");
    assert.deepEqual(paths, ["/lib/ld-musl-aarch64.so.1"]);
  });

  test("whatever is thrown on the way becomes a reason", async () => {
    const loadBunFfi = () => Promise.reject(new Error("no bun:ffi"));
    assert.equal(
      await reasonOf({ runtime: "bun", loadBunFfi }),
      "The C library cannot be reached from bun: no bun:ffi",
    );
  });
});

describe("describeKoffiFailure()", () => {
  test("tells a package that is missing from one that does not load", () => {
    assert.match(describeKoffiFailure({ code: "MODULE_NOT_FOUND" }), /npm install koffi/);
    const broken = new Error("wrong architecture");
    assert.equal(
      describeKoffiFailure(broken),
      "the optional package koffi does not load: wrong architecture",
    );
    assert.equal(describeKoffiFailure("odd"), "the optional package koffi does not load: odd");
  });
});
