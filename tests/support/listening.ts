import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** `__SO_ACCEPTCON`: the socket listens, and not only has its name. */
const LISTENING_FLAGS = "00010000";
const POLL_MS = 5;

/**
 * Waits until a socket listens: between the appearance of its name and `listen` a client is refused.
 *
 * Asked of the kernel, because some brokers take a connection without a request for a failure of their own.
 * Elsewhere than on Linux it returns at once.
 */
export async function untilListening(path: string, deadlineMs: number): Promise<void> {
  if (process.platform !== "linux") return;
  for (const end = performance.now() + deadlineMs; !isListening(path); await delay(POLL_MS)) {
    if (performance.now() > end) throw new Error(`Nothing listens on "${path}" after ${deadlineMs} ms`);
  }
}

function isListening(path: string): boolean {
  return readFileSync("/proc/net/unix", "utf8").split("\n").some((line) => {
    const [, , , flags, , , , name] = line.trim().split(/\s+/);
    return name === path && flags === LISTENING_FLAGS;
  });
}
