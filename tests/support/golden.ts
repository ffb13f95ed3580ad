import { readFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { projectFile } from "./project.ts";

/** The versions of the reference crate whose bytes are pinned. */
export const goldenVersions: readonly string[] = ["4.5.7", "4.10.21"];

/** One file of vectors, as the reference crate's generator wrote it. */
export interface GoldenFile<Vector> {
  crate: string;
  version: string;
  file: string;
  env: Record<string, string>;
  vectors: Vector[];
}

/** The folder that holds one folder of vectors a version; `GOLDEN_DIR` replaces it. */
export const goldenFolder: string = process.env["GOLDEN_DIR"] ?? projectFile("tests/golden");

/** Reads one golden file. Numbers are as in the generator: u64 decimal strings, bytes hex, enums numbers. */
export function loadGolden<Vector = Record<string, unknown>>(
  version: string,
  name: string,
): GoldenFile<Vector> {
  const text = readFileSync(join(goldenFolder, version, `${name}.json`), "utf8");
  return JSON.parse(text) as GoldenFile<Vector>;
}

/** The bytes of a hexadecimal string. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || /[^0-9a-f]/i.test(hex)) throw new TypeError(`Not hexadecimal: "${hex}"`);
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
