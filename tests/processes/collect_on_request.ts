import { readFileSync } from "node:fs";
import process from "node:process";
import { printJson } from "./json_line.ts";

interface Collectors {
  gc?: () => void;
  Bun?: { gc(isSynchronous: boolean): void };
}

/**
 * On SIGUSR2 collects all garbage and prints how much memory is still resident.
 *
 * When a runtime collects by itself is its own business and differs by megabytes from run to run; what is
 * left after a collection is what this process really holds.
 */
export function collectOnRequest(): void {
  process.on("SIGUSR2", () => {
    const { gc, Bun } = globalThis as Collectors;
    if (gc !== undefined) gc();
    else if (Bun !== undefined) Bun.gc(true);
    else {throw new Error(
        "Cannot collect garbage: start Deno with --v8-flags=--expose-gc, Node with --expose-gc",
      );}
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
    printJson({ event: "collected", residentKib: Number(match?.[1]) });
  });
}
