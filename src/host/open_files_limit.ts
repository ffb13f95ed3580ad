import { readTextSync } from "./proc_access.ts";

/** How many descriptors this process may have; `undefined` where there is no limit or the system does not show it. */
export function openFilesLimit(): number | undefined {
  try {
    const row = /^Max open files\s+(\d+)\s/m.exec(readTextSync("/proc/self/limits"));
    return row === null ? undefined : Number(row[1]);
  } catch {
    // No Linux, or not allowed to look.
    return undefined;
  }
}
