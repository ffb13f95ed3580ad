import { writeSync } from "node:fs";

/** Prints one value as a line of JSON; 64-bit numbers as decimal strings. */
export function printJson(value: unknown): void {
  writeSync(1, `${JSON.stringify(value, (_key, item) => typeof item === "bigint" ? String(item) : item)}\n`);
}
