import { readdirSync } from "node:fs";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** How long to watch, and how long nothing may change before a count is believed. */
export interface SettleOptions {
  deadlineMs?: number;
  stableMs?: number;
}

const POLL_MS = 10;

/** How many descriptors a process has open now. Linux only. */
export function countFds(pid: number = process.pid): number {
  if (process.platform !== "linux") throw new Error(`Cannot count descriptors on "${process.platform}"`);
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The count of descriptors once it has stopped changing; rejects when it never does. */
export async function settledFdCount(
  pid: number = process.pid,
  options: SettleOptions = {},
): Promise<number> {
  const { deadlineMs = 5_000, stableMs = 100 } = options;
  const end = performance.now() + deadlineMs;
  let count = countFds(pid);
  let since = performance.now();
  while (performance.now() - since < stableMs) {
    if (performance.now() > end) {
      throw new Error(`Descriptors of process ${pid} still change after ${deadlineMs} ms: ${count}`);
    }
    await delay(POLL_MS);
    const seen = countFds(pid);
    if (seen !== count) [count, since] = [seen, performance.now()];
  }
  return count;
}

/** Waits until at most so many descriptors are open; gives the last count, which is larger after the deadline. */
export async function fdCountAtMost(pid: number, wanted: number, deadlineMs: number): Promise<number> {
  const end = performance.now() + deadlineMs;
  let count = countFds(pid);
  while (count > wanted && performance.now() < end) {
    await delay(POLL_MS);
    count = countFds(pid);
  }
  return count;
}
