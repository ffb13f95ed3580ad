import { statSync } from "node:fs";
import { chmod, mkdir, stat } from "node:fs/promises";
import { BrokerError } from "../errors.ts";
import { hostPlatform } from "./host_platform.ts";
import { isOwnerOnlyAcl, OWNER_ONLY_SDDL } from "./owner_only_acl.ts";

/** What a private directory's mode may not have: any right of the group or of others. */
const FOREIGN_BITS = 0o077;
const PRIVATE_MODE = 0o700;

/** Reads and replaces a directory's access list on Windows, as SDDL text. It takes native calls. */
export interface DirectoryAcl {
  read(path: string): string;
  replace(path: string, sddl: string): void;
}

/**
 * Creates a directory for this user alone, or makes an existing one private (protocol 3.6).
 *
 * In Deno it requires `--allow-read` and `--allow-write` for it.
 *
 * @param path The directory. Missing parents are created, private as well.
 * @param acl Windows only.
 * @throws {BrokerError} With code "unsupported" on Windows without `acl`. Errors of the system are passed on.
 */
export async function ensurePrivateDirectory(path: string, acl?: DirectoryAcl): Promise<void> {
  await mkdir(path, { recursive: true, mode: PRIVATE_MODE });
  if (hostPlatform() === "windows") windowsAcl(acl).replace(path, OWNER_ONLY_SDDL);
  else await chmod(path, PRIVATE_MODE);
}

/**
 * Whether nobody but the owner may use a directory (protocol 3.6).
 *
 * Links are followed and the owner is not compared, as in the reference.
 *
 * @param path The directory.
 * @param acl Windows only.
 * @throws {BrokerError} With code "unsupported" on Windows without `acl`. Errors of the system are passed on.
 */
export async function isPrivateDirectory(path: string, acl?: DirectoryAcl): Promise<boolean> {
  if (hostPlatform() === "windows") return isOwnerOnlyAcl(windowsAcl(acl).read(path));
  return ((await stat(path)).mode & FOREIGN_BITS) === 0;
}

/** The same without waiting, for the path that runs on every Hello; see {@linkcode isPrivateDirectory}. */
export function isPrivateDirectorySync(path: string, acl?: DirectoryAcl): boolean {
  if (hostPlatform() === "windows") return isOwnerOnlyAcl(windowsAcl(acl).read(path));
  return (statSync(path).mode & FOREIGN_BITS) === 0;
}

function windowsAcl(acl: DirectoryAcl | undefined): DirectoryAcl {
  if (acl !== undefined) return acl;
  throw new BrokerError("unsupported", "Cannot look at a directory's access list without native calls");
}
