import { homedir } from "node:os";
import process from "node:process";
import type { HostValues } from "../naming/platform.ts";
import { hostPlatform } from "./host_platform.ts";
import { currentUid } from "./user.ts";

/**
 * What names and directories are derived from on this host.
 *
 * The user id and the home directory are looked up when they are read. In Deno that requires
 * `--allow-sys=uid,homedir`, and each variable `--allow-env`.
 */
export function hostValues(): HostValues {
  return {
    platform: hostPlatform(),
    environment: process.env,
    get uid(): number {
      return currentUid();
    },
    get home(): string | undefined {
      return homeDirectory();
    },
  };
}

function homeDirectory(): string | undefined {
  const named = process.platform === "win32" ? undefined : process.env["HOME"];
  return named || homedir() || undefined;
}
