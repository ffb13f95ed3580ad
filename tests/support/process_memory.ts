import { readFileSync } from "node:fs";

/** Resident memory of a process in KiB, the part that is its own. Linux only. */
export function residentKib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const match = /^RssAnon:\s+(\d+) kB$/m.exec(status);
  if (match === null) throw new Error(`Cannot read the memory of process ${pid}`);
  return Number(match[1]);
}
