import { uptime } from "node:os";
import { readFact, type SystemAccess, systemAccess } from "./system_access.ts";

/** What stands for the boot of a host that does not say (protocol 8.6). */
export const UNKNOWN_BOOT_ID = "unknown";

/** How far boot times computed by two processes may lie apart: each rounds down on its own (protocol 8.6). */
const WINDOWS_BOOT_TOLERANCE_S = 2n;

/** What tells when a host was started. */
export interface BootClock {
  /** The time: milliseconds since the Unix epoch. */
  readonly nowMs: () => number;
  /** For how many seconds the host has been up. */
  readonly uptimeS: () => number;
}

const hostClock: BootClock = { nowMs: Date.now, uptimeS: uptime };

/**
 * The id of this host's current boot (protocol 8.6).
 *
 * In Deno it requires `--allow-ffi` or `--allow-all` on Linux, since the id is below `/proc`.
 *
 * @param system The host to ask.
 * @param clock Used on Windows only.
 * @returns The id, or {@linkcode UNKNOWN_BOOT_ID}.
 * @throws {BrokerError} With code "unsupported" when the runtime forbids reading it.
 */
export async function bootId(
  system: SystemAccess = systemAccess,
  clock: BootClock = hostClock,
): Promise<string> {
  switch (system.platform) {
    case "linux":
      return await readFact(system, "/proc/sys/kernel/random/boot_id") ?? UNKNOWN_BOOT_ID;
    case "macos":
      return macosBootId(await sysctlBootTime(system));
    case "windows":
      return `windows-boot-${Math.floor(clock.nowMs() / 1000 - clock.uptimeS())}`;
  }
}

/**
 * Whether two boot ids mean the same boot.
 *
 * An empty one is no statement and matches. Windows ids are times, which may differ by up to 2 s.
 */
export function isSameBoot(a: string, b: string): boolean {
  if (a === b || a === "" || b === "") return true;
  const [timeA, timeB] = [windowsBootTimeS(a), windowsBootTimeS(b)];
  if (timeA === undefined || timeB === undefined) return false;
  const apart = timeA > timeB ? timeA - timeB : timeB - timeA;
  return apart <= WINDOWS_BOOT_TOLERANCE_S;
}

function windowsBootTimeS(id: string): bigint | undefined {
  const digits = /^windows-boot-(\d{1,20})$/.exec(id)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

async function sysctlBootTime(system: SystemAccess): Promise<string> {
  try {
    return await system.run("/usr/sbin/sysctl", ["-n", "kern.boottime"]);
  } catch {
    // A host that does not say has an unknown boot, as in the reference.
    return "";
  }
}

function macosBootId(output: string): string {
  const time = /sec = (\d+), usec = (\d+)/.exec(output);
  return time === null ? UNKNOWN_BOOT_ID : `macos-boot-${time[1]}-${time[2]}`;
}
