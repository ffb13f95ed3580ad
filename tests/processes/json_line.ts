import { writeSync } from "node:fs";

/** Prints an event as a line of JSON: with the time in microseconds since the epoch, 64-bit numbers as strings. */
export function printJson(event: { event: string; [field: string]: unknown }): void {
  const atUs = Math.round((performance.timeOrigin + performance.now()) * 1000);
  const text = JSON.stringify(
    { ...event, atUs },
    (_key, item) => typeof item === "bigint" ? String(item) : item,
  );
  writeSync(1, `${text}\n`);
}
