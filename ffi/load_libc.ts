import process from "node:process";
import { type BunFfi, loadBunFfi } from "./bun_ffi.ts";
import { type DenoFfi, denoFfi } from "./deno_ffi.ts";
import { type KoffiResult, loadKoffi } from "./koffi.ts";
import type { Libc, LibcBinding, UnixPlatform } from "./libc.ts";
import { openLibcInBun } from "./libc_bun.ts";
import { openLibcInDeno } from "./libc_deno.ts";
import { openLibcWithKoffi } from "./libc_koffi.ts";
import { openLibcInNode } from "./libc_node.ts";
import { libcPaths, runsOnMusl } from "./libc_paths.ts";
import { loadNodeFfi, type NodeFfi } from "./node_ffi.ts";

/** The C library of this process, or what to install or allow to get it. */
export type LibcResult =
  | { readonly ok: true; readonly libc: Libc; readonly binding: LibcBinding; readonly path: string }
  | { readonly ok: false; readonly reason: string };

/** What the running process offers for native calls. */
export interface LibcHost {
  readonly runtime: "deno" | "bun" | "node";
  readonly platform: string;
  readonly arch: string;
  runsOnMusl(): boolean;
  denoFfi(): DenoFfi;
  loadBunFfi(): Promise<BunFfi>;
  loadNodeFfi(): NodeFfi | undefined;
  loadKoffi(): Promise<KoffiResult>;
}

let loading: Promise<LibcResult> | undefined;

/**
 * Loads the C library, once per process. Never rejects.
 *
 * Deno needs `--allow-ffi`, bare or with the library's absolute path, and is never made to prompt for it. Node
 * needs version 26.1 (`node:ffi`) or the package koffi. Bun needs nothing.
 */
export function loadLibc(): Promise<LibcResult> {
  return loading ??= openLibc(currentHost());
}

/** Loads the C library through what `host` offers. The one place that tells runtimes apart. */
export async function openLibc(host: LibcHost): Promise<LibcResult> {
  const { platform } = host;
  if (platform !== "linux" && platform !== "darwin") {
    return { ok: false, reason: `Native calls need linux or darwin, this is ${platform}` };
  }
  try {
    switch (host.runtime) {
      case "deno":
        return openForDeno(host, platform);
      case "bun":
        return await openForBun(host, platform);
      case "node":
        return await openForNode(host, platform);
    }
  } catch (error) {
    return { ok: false, reason: `The C library cannot be reached from ${host.runtime}: ${messageOf(error)}` };
  }
}

function openForDeno(host: LibcHost, platform: UnixPlatform): LibcResult {
  const deno = host.denoFfi();
  const paths = libcPaths(platform, host.arch, deno.build.target.includes("musl"));
  // Only what is granted is tried: a prompt in the middle of somebody's tool helps nobody.
  const granted = paths.filter((path) =>
    deno.permissions.querySync({ name: "ffi", path }).state === "granted"
  );
  const [first, ...others] = paths;
  if (first !== undefined && granted.length === 0) {
    const elsewhere = others.length === 0 ? "" : ` (or, where that file is missing, ${others.join(" or ")})`;
    return {
      ok: false,
      reason: `Deno may not call the C library: run with --allow-ffi=${first}${elsewhere}`,
    };
  }
  return openFirst("deno", granted, (path) => openLibcInDeno(deno, path, platform));
}

async function openForBun(host: LibcHost, platform: UnixPlatform): Promise<LibcResult> {
  const bun = await host.loadBunFfi();
  const paths = libcPaths(platform, host.arch, host.runsOnMusl());
  return openFirst("bun", paths, (path) => openLibcInBun(bun, path, platform));
}

async function openForNode(host: LibcHost, platform: UnixPlatform): Promise<LibcResult> {
  const paths = libcPaths(platform, host.arch, host.runsOnMusl());
  const node = host.loadNodeFfi();
  const opened: LibcResult = node === undefined
    ? { ok: false, reason: "This Node has no node:ffi" }
    : openFirst("node:ffi", paths, (path) => openLibcInNode(node, path, platform));
  if (opened.ok) return opened;
  const loaded = await host.loadKoffi();
  if (!loaded.ok) return { ok: false, reason: `${opened.reason}; ${loaded.reason}` };
  const reopened = openFirst("koffi", paths, (path) => openLibcWithKoffi(loaded.koffi, path, platform));
  return reopened.ok ? reopened : { ok: false, reason: `${opened.reason}; ${reopened.reason}` };
}

function openFirst(binding: LibcBinding, paths: readonly string[], open: (path: string) => Libc): LibcResult {
  const failures = new Set<string>();
  for (const path of paths) {
    try {
      return { ok: true, libc: open(path), binding, path };
    } catch (error) {
      failures.add(messageOf(error));
    }
  }
  const seen = failures.size === 0 ? "no path is known for this processor" : [...failures].join("; ");
  return { ok: false, reason: `The C library does not load with ${binding}: ${seen}` };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The running process. */
export function currentHost(): LibcHost {
  const { bun, deno } = process.versions;
  return {
    runtime: deno !== undefined ? "deno" : bun !== undefined ? "bun" : "node",
    platform: process.platform,
    arch: process.arch,
    runsOnMusl,
    denoFfi,
    loadBunFfi,
    loadNodeFfi,
    loadKoffi,
  };
}
