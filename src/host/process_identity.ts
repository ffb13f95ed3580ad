import process from "node:process";
import { BrokerError } from "../errors.ts";
import { isNotFound, osErrorCode, osErrorText } from "./os_error_text.ts";
import { readTextSync } from "./proc_access.ts";
import { type ProcessIdentity, startMarkInPs, startMarkOf } from "./process_start.ts";
import { type SystemAccess, systemAccess, throwIfDenied } from "./system_access.ts";

export type { ProcessIdentity } from "./process_start.ts";

/** The largest process id any supported kernel gives out. */
export const PID_MAX = 2 ** 31 - 1;

/**
 * Identifies the process that has a number now.
 *
 * Linux answers from `/proc` (in Deno: `--allow-ffi` or `--allow-all`). macOS has no such file: `ps` answers there, to the
 * second.
 *
 * @param pid The process's number.
 * @param system The host to ask.
 * @returns `undefined` when there is no such process, or it has ended already.
 * @throws {BrokerError} With code "os" when the system does not answer, "unsupported" on Windows.
 */
export async function processIdentity(
  pid: number,
  system: SystemAccess = systemAccess,
): Promise<ProcessIdentity | undefined> {
  if (system.platform === "windows") throw unsupportedOnWindows();
  const started = system.platform === "macos" ? await macosStart(pid, system) : await linuxStart(pid, system);
  return started === undefined ? undefined : { pid, startMark: started };
}

/** Whether the process still runs: its number is in use and was not given to another one. */
export async function isProcessAlive(
  identity: ProcessIdentity,
  system: SystemAccess = systemAccess,
): Promise<boolean> {
  return (await processIdentity(identity.pid, system))?.startMark === identity.startMark;
}

/**
 * The same without waiting, for paths that ask on every Hello.
 *
 * On macOS only the number is checked.
 *
 * @throws {BrokerError} With code "unsupported" on Windows.
 */
export function isProcessAliveSync(identity: ProcessIdentity): boolean {
  if (systemAccess.platform === "windows") throw unsupportedOnWindows();
  if (systemAccess.platform === "macos") return isPidInUse(identity.pid);
  const path = statPath(identity.pid);
  try {
    return startMarkOf(readTextSync(path)) === identity.startMark;
  } catch (error) {
    throwUnlessEnded(error, path);
    return false;
  }
}

/**
 * The path of a process's executable, as the system reports it.
 *
 * @param pid The process's number.
 * @param system The host to ask.
 * @throws {BrokerError} With code "os" when the system does not answer, "unsupported" on Windows.
 */
export async function executablePathOf(pid: number, system: SystemAccess = systemAccess): Promise<string> {
  if (system.platform === "windows") throw unsupportedOnWindows();
  if (system.platform === "linux") return await system.readLink(executableLink(pid));
  const output = await system.run("/usr/sbin/lsof", ["-a", "-p", String(pid), "-d", "txt", "-Fn"]);
  const path = /^n(\/.*)$/m.exec(output)?.[1];
  if (path === undefined) throw new BrokerError("os", `Cannot find the executable of process ${pid}`);
  return path;
}

/** The link that opens the executable a process runs, even when its path has another file by now. */
export function executableLink(pid: number): string {
  return `/proc/${pid}/exe`;
}

async function linuxStart(pid: number, system: SystemAccess): Promise<string | undefined> {
  const path = statPath(pid);
  try {
    return startMarkOf(await system.readText(path));
  } catch (error) {
    throwUnlessEnded(error, path);
    return undefined;
  }
}

async function macosStart(pid: number, system: SystemAccess): Promise<string | undefined> {
  try {
    return startMarkInPs(await system.run("/bin/ps", ["-p", String(pid), "-o", "state=,lstart="]));
  } catch (error) {
    // The exit code 1 is how ps says that there is no such process.
    if ((error as { code?: unknown }).code === 1) return undefined;
    throw new BrokerError("os", `Cannot ask ps for process ${pid}: ${osErrorText(error)}`, { cause: error });
  }
}

/** Passes the errors that prove a process's end; anything else proves nothing. */
function throwUnlessEnded(error: unknown, path: string): void {
  if (isNotFound(error) || osErrorCode(error) === "ESRCH") return;
  throwIfDenied(error, path);
  throw new BrokerError("os", `Cannot read "${path}": ${osErrorText(error)}`, { cause: error });
}

function isPidInUse(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (osErrorCode(error) === "ESRCH") return false;
    // EPERM: there is a process, of another user.
    return true;
  }
}

function statPath(pid: number): string {
  return `/proc/${pid}/stat`;
}

function unsupportedOnWindows(): BrokerError {
  return new BrokerError("unsupported", "Cannot identify processes on Windows: it needs native calls");
}
