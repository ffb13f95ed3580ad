import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { buildPeer, type PeerCrate } from "../tests/interop/_peer_crate.ts";
import { projectFile } from "../tests/support/project.ts";

/** The compiled programs of a benchmark. */
export interface BenchPrograms {
  /** `bench/native/floor.c`. */
  readonly floor: string;
  /** `bench/native/client.c`. */
  readonly client: string;
  /** `bench/load`. */
  readonly load: string;
  /** The reference. */
  readonly peer: PeerCrate;
}

const BUILD_DEADLINE_MS = 300_000;

/** Builds what is not built yet, outside of the tree. @throws {Error} When cargo or a C compiler is missing. */
export async function buildBenchPrograms(): Promise<BenchPrograms> {
  const folder = cacheFolder();
  return {
    floor: compileC(folder, "floor"),
    client: compileC(folder, "client"),
    load: buildLoad(folder),
    peer: await buildPeer("4.5.7"),
  };
}

function compileC(folder: string, name: string): string {
  const sources = projectFile("bench/native");
  const program = join(folder, `${name}-${fingerprint(sources)}`);
  if (existsSync(program)) return program;
  const scratch = `${program}.${process.pid}`;
  const flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-pthread"];
  run(process.env["CC"] ?? "cc", [...flags, "-o", scratch, join(sources, `${name}.c`)]);
  renameSync(scratch, program);
  return program;
}

/** Cargo itself knows whether there is something to do. */
function buildLoad(folder: string): string {
  const manifest = projectFile("bench/load/Cargo.toml");
  const target = join(folder, "load");
  run("cargo", ["build", "--quiet", "--release", "--locked", "--manifest-path", manifest], {
    CARGO_TARGET_DIR: target,
  });
  return join(target, "release", "load");
}

/** Runs a build step. @throws {Error} With what it printed, when it fails. */
export function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): void {
  const { status, signal, stderr, error } = spawnSync(command, args, {
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: BUILD_DEADLINE_MS,
  });
  if (status === 0) return;
  const ending = error?.message ?? `it ended with ${status ?? signal}`;
  throw new Error(`Cannot build by "${command} ${args.join(" ")}": ${ending}\n${stderr ?? ""}`);
}

function fingerprint(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest("hex").slice(0, 16);
}

/** Made private to this user: what is found there will be executed. */
function cacheFolder(): string {
  const { XDG_CACHE_HOME: configured, HOME: home } = process.env;
  const parent = configured || (home ? join(home, ".cache") : tmpdir());
  const user = process.getuid?.() ?? 0;
  const folder = join(parent, `running-process-broker-bench-${user}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (uid !== user || (mode & 0o022) !== 0) {
    throw new Error(`Cannot keep programs in "${folder}": others may write there`);
  }
  return folder;
}
