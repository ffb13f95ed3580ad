import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import process from "node:process";
import { BrokerError } from "../errors.ts";
import type { Environment, Platform } from "../naming/platform.ts";
import { hostPlatform } from "./host_platform.ts";
import { isRuntimeDenial } from "./os_error_text.ts";
import { readLink, readText } from "./proc_access.ts";

/** Longest wait for a system tool; each prints a few lines at once. */
const TOOL_DEADLINE_MS = 5_000;
/** Most output of a system tool that is read; each prints a few kilobytes. */
const TOOL_OUTPUT_BYTES_MAX = 1024 * 1024;

/** The few questions this package asks the system, so that each platform's answers can be tested anywhere. */
export interface SystemAccess {
  /** The operating system whose rules apply. */
  readonly platform: Platform;
  /** The variables of this process. */
  readonly environment: Environment;
  /** The text of a file, read as UTF-8. */
  readText(path: string): Promise<string>;
  /** Where a symbolic link points. */
  readLink(path: string): Promise<string>;
  /** A path without symbolic links. */
  realPath(path: string): Promise<string>;
  /** What a system tool prints, in the C locale. Rejects when it fails or takes longer than 5 s. */
  run(command: string, args: readonly string[]): Promise<string>;
}

/** The system this process runs on. */
export const systemAccess: SystemAccess = {
  platform: hostPlatform(),
  environment: process.env,
  readText,
  readLink,
  realPath: (path) => realpath(path),
  run: runTool,
};

/**
 * The trimmed text of a file, for facts that have a fallback.
 *
 * @returns `undefined` when the file cannot be read or is empty.
 * @throws {BrokerError} With code "unsupported" when the runtime forbids reading it: a guess would look like a
 * fact of the host then.
 */
export async function readFact(system: SystemAccess, path: string): Promise<string | undefined> {
  try {
    return (await system.readText(path)).trim() || undefined;
  } catch (error) {
    throwIfDenied(error, path);
    // Any other failure means that this host does not offer the fact: the fallback applies.
    return undefined;
  }
}

/** The path of a tool that comes with Windows. */
export function windowsTool(system: SystemAccess, name: string): string {
  return `${system.environment["SystemRoot"] ?? "C:\\Windows"}\\System32\\${name}`;
}

/** Turns a runtime's refusal to look at `path` into an error that says what to allow. */
export function throwIfDenied(error: unknown, path: string): void {
  if (!isRuntimeDenial(error)) return;
  const flag = path.startsWith("/proc/") ? "--allow-ffi or --allow-all" : `--allow-read=${path}`;
  throw new BrokerError("unsupported", `Cannot read "${path}": Deno needs ${flag} for it`, { cause: error });
}

function runTool(command: string, args: readonly string[]): Promise<string> {
  // Windows programs do not start without SystemRoot.
  const environment = systemAccess.platform === "windows"
    ? { SystemRoot: process.env["SystemRoot"] }
    : { LC_ALL: "C" };
  const options = { timeout: TOOL_DEADLINE_MS, maxBuffer: TOOL_OUTPUT_BYTES_MAX, env: environment };
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { ...options, encoding: "utf8" }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}
