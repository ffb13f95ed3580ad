import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { projectFile } from "../support/project.ts";
import { startProcess } from "../support/spawn.ts";

/** The versions of the reference that everything is tried against. */
export const peerVersions = ["4.5.7", "4.10.21"] as const;

/** A version of the reference. */
export type PeerVersion = typeof peerVersions[number];

/** The programs of `tests/interop/peer`, built over one version of the reference. */
export interface PeerCrate {
  readonly version: PeerVersion;
  readonly client: string;
  readonly broker: string;
  readonly backend: string;
  readonly files: string;
  readonly bench: string;
}

/** What a test puts in the place of the ordinary. */
export interface PeerBuildOptions {
  /** Where builds are kept. @default {the user's cache} */
  readonly cacheFolder?: string;
  /** @default {"cargo"} */
  readonly cargo?: string;
}

const CRATE_FOLDER = "tests/interop/peer";
const PROGRAMS = ["client", "broker", "backend", "files", "bench"] as const;
/** The crate is written for this one; the sources hold the other's few differences under a feature. */
const WRITTEN_FOR: PeerVersion = "4.5.7";
const CARGO_FLAGS: Readonly<Record<PeerVersion, readonly string[]>> = {
  "4.5.7": [],
  "4.10.21": ["--features", "rp410"],
};
// 80 s on two idle cores, without the download of 200 crates.
const BUILD_DEADLINE_MS = 1_200_000;
const BUILT_MARK = "built";

/**
 * The programs of the peer crate, built with cargo the first time and kept outside of the tree.
 *
 * Two processes may build at once: cargo's own lock lets one wait for the other.
 *
 * @throws {Error} When cargo is missing, which is said by name, or fails.
 */
export async function buildPeer(version: PeerVersion, options: PeerBuildOptions = {}): Promise<PeerCrate> {
  const sources = peerSources(version);
  const folder = join(options.cacheFolder ?? userCacheFolder(), peerFolderName(version, sources));
  const crate = programsOf(version, folder);
  if (!isBuilt(folder, crate)) {
    for (const [path, text] of sources) writeUnlessSame(join(folder, path), text);
    await build(version, folder, options.cargo ?? "cargo");
    if (PROGRAMS.some((program) => !existsSync(crate[program]))) {
      throw new Error(`Cannot build the Rust peer ${version}: cargo left a program out in "${folder}"`);
    }
    writeFileSync(join(folder, BUILT_MARK), "");
  }
  return crate;
}

/** Path and text of every file of the crate, with the edits that a version needs. */
export function peerSources(version: PeerVersion): ReadonlyMap<string, string> {
  const read = (path: string) => readFileSync(projectFile(`${CRATE_FOLDER}/${path}`), "utf8");
  const manifest = read("Cargo.toml");
  if (!manifest.includes(`"=${WRITTEN_FOR}"`)) {
    throw new Error(`Cargo.toml of the peer names no ${WRITTEN_FOR}`);
  }
  return new Map([
    ["Cargo.toml", manifest.replace(`"=${WRITTEN_FOR}"`, `"=${version}"`)],
    ["Cargo.lock", read(version === WRITTEN_FOR ? "Cargo.lock" : `${version}/Cargo.lock`)],
    ...listSources("src").map((path): [string, string] => [path, read(path)]),
  ]);
}

/** A name that changes with anything in the sources. */
export function peerFolderName(version: PeerVersion, sources: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256");
  for (const [path, text] of sources) hash.update(`${path}\0${text.length}\0${text}\0`);
  return `peer-${version}-${hash.digest("hex").slice(0, 16)}`;
}

function listSources(folder: string): string[] {
  return readdirSync(projectFile(`${CRATE_FOLDER}/${folder}`), { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory() ? listSources(`${folder}/${entry.name}`) : `${folder}/${entry.name}`
    )
    .sort();
}

/** Made private to this user: what is found there will be executed. */
export function userCacheFolder(): string {
  const { XDG_CACHE_HOME: configured, HOME: home } = process.env;
  const parent = configured || (home ? join(home, ".cache") : undefined);
  const user = process.getuid?.() ?? 0;
  const name = "running-process-broker-tests";
  const folder = parent === undefined ? join(tmpdir(), `${name}-${user}`) : join(parent, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (process.platform !== "win32" && (uid !== user || (mode & 0o022) !== 0)) {
    throw new Error(`Cannot keep programs in "${folder}": others may write there`);
  }
  return folder;
}

function programsOf(version: PeerVersion, folder: string): PeerCrate {
  const suffix = process.platform === "win32" ? ".exe" : "";
  const path = (program: string) => join(folder, "target", "release", `peer-${program}${suffix}`);
  return {
    version,
    client: path("client"),
    broker: path("broker"),
    backend: path("backend"),
    files: path("files"),
    bench: path("bench"),
  };
}

function isBuilt(folder: string, crate: PeerCrate): boolean {
  return existsSync(join(folder, BUILT_MARK)) && PROGRAMS.every((program) => existsSync(crate[program]));
}

/** A file that is rewritten looks changed to cargo. */
function writeUnlessSame(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  const scratch = `${path}.${process.pid}`;
  writeFileSync(scratch, text);
  renameSync(scratch, path);
}

async function build(version: PeerVersion, folder: string, cargo: string): Promise<void> {
  const args = ["build", "--release", "--locked", "--manifest-path", join(folder, "Cargo.toml")];
  await using child = startProcess({
    command: cargo,
    args: [...args, ...CARGO_FLAGS[version]],
    env: { CARGO_TARGET_DIR: join(folder, "target"), CARGO_TERM_COLOR: "never" },
  }, { cwd: folder });
  const { code, signal, error } = await child.waitForExit({ deadlineMs: BUILD_DEADLINE_MS });
  if (error !== undefined) {
    throw new Error(`Cannot build the Rust peer ${version}: cannot start "${cargo}"`, { cause: error });
  }
  if (code === 0) return;
  const output = child.stderrTail.join("\n");
  throw new Error(
    `Cannot build the Rust peer ${version}: "${cargo}" ended with ${code ?? signal}\n${output}`,
  );
}
