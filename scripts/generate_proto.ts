// Generates src/wire/gen from proto/broker_v1: `deno run -A scripts/generate_proto.ts [--check]`.
// With --check nothing is written; the exit code is 1 when the committed files differ.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules", "@bufbuild");
const committed = join(root, "src", "wire", "gen");

/** The suffix of buf's platform packages; they name two architectures in their own way. */
function bufPlatform(): string {
  const architecture = process.platform === "linux" && process.arch === "arm64"
    ? "aarch64"
    : process.arch === "arm"
    ? "armv7"
    : process.arch;
  return `${process.platform}-${architecture}`;
}

/** The compiler's executable. buf's install script would copy it; resolving its package needs no script. */
function bufBinary(): string {
  const buf = realpathSync(join(modules, "buf", "package.json"));
  const name = process.platform === "win32" ? "buf.exe" : "buf";
  return createRequire(buf).resolve(`@bufbuild/buf-${bufPlatform()}/bin/${name}`);
}

/** Both configurations are passed as text, so that no configuration file lies about. */
function generate(folder: string): void {
  const template = JSON.stringify({
    version: "v2",
    plugins: [{
      local: [process.execPath, "run", "-A", join(modules, "protoc-gen-es", "bin", "protoc-gen-es")],
      out: join(folder, "gen"),
      opt: ["target=ts", "import_extension=ts", "erasable_syntax=true"],
    }],
  });
  const config = JSON.stringify({ version: "v2", modules: [{ path: "proto/broker_v1" }] });
  const args = ["generate", "proto/broker_v1", "--config", config, "--template", template];
  const env = { ...process.env, BUF_CACHE_DIR: join(folder, "cache"), NO_COLOR: "1" };
  const run = spawnSync(bufBinary(), args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  if (run.error) throw run.error;
  if (run.status !== 0) throw new Error(`buf generate exited with ${run.status ?? run.signal}, wanted 0`);
}

/** File names and contents of one folder; a missing folder is an empty one. */
function contents(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map();
  return new Map(readdirSync(folder).sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/** Names whose content differs, also by existing on one side only. */
function differences(wanted: Map<string, string>, seen: Map<string, string>): string[] {
  const names = new Set([...wanted.keys(), ...seen.keys()]);
  return [...names].filter((name) => wanted.get(name) !== seen.get(name)).sort();
}

function main(): number {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), "generate-proto-")));
  try {
    generate(scratch);
    const wanted = contents(join(scratch, "gen"));
    if (wanted.size === 0) throw new Error("buf generate wrote no file");
    const changed = differences(wanted, contents(committed));
    if (process.argv.includes("--check")) {
      for (const name of changed) console.error(`src/wire/gen/${name} differs from what proto/ generates`);
      return changed.length === 0 ? 0 : 1;
    }
    mkdirSync(committed, { recursive: true });
    for (const name of changed) {
      const text = wanted.get(name);
      if (text === undefined) rmSync(join(committed, name));
      else writeFileSync(join(committed, name), text);
    }
    console.log(`src/wire/gen: ${wanted.size} files, ${changed.length} changed`);
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

process.exitCode = main();
