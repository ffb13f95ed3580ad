import { existsSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";

/**
 * The toolchains of a `cargo` that is rustup's proxy, where nothing else says where they are.
 *
 * The proxy looks into the home folder; a run with another HOME finds them beside the proxy's own folder, as rustup
 * lays both out: `.cargo/bin/cargo` and `.rustup`.
 */
export function findRustupHome(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env["RUSTUP_HOME"] || (env["HOME"] && existsSync(join(env["HOME"], ".rustup")))) return undefined;
  const cargo = (env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "cargo")).find((path) =>
    existsSync(path)
  );
  if (cargo === undefined || basename(realpathSync(cargo)) !== "rustup") return undefined;
  const home = join(dirname(cargo), "..", "..", ".rustup");
  return existsSync(home) ? home : undefined;
}
