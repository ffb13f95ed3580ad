import { readdirSync, readFileSync } from "node:fs";
import { startMarkOf } from "../../src/host/process_start.ts";
import { until } from "./waiting.ts";

/**
 * Whether a process has ended for good: it is gone, or waits for its parent and none of its threads runs on.
 *
 * A killed process's first thread is a zombie some milliseconds before the others let go of its sockets. Linux only.
 */
export function hasEnded(pid: number): boolean {
  try {
    const isZombie = startMarkOf(readFileSync(`/proc/${pid}/stat`, "utf8")) === undefined;
    return isZombie && readdirSync(`/proc/${pid}/task`).length === 1;
  } catch {
    // It was removed while it was looked at.
    return true;
  }
}

/** Waits for a process's end. */
export async function untilEnded(pid: number): Promise<void> {
  await until(`process ${pid} has ended`, () => hasEnded(pid));
}
