import { statSync } from "node:fs";
import { chmod, mkdir, stat } from "node:fs/promises";
import { BrokerError } from "../errors.ts";
import { hostPlatform } from "./host_platform.ts";
import { isOwnerOnlyAcl, OWNER_ONLY_SDDL } from "./owner_only_acl.ts";

/** What a private directory's mode may not have: any right of the group or of others. */
const FOREIGN_BITS = 0o077;
const PRIVATE_MODE = 0o700;

/** How directories are kept to their owner (protocol 3.6). Errors of the system are passed on. */
export interface DirectoryAccess {
  /** Creates a directory, with its parents, for this user alone, or makes an existing one private. */
  makePrivate(path: string): Promise<void>;
  /** Whether nobody but the owner may use a directory. Links are followed; who the owner is, is not asked. */
  isPrivate(path: string): Promise<boolean>;
  /** The same without waiting, for the path that runs on every Hello. */
  isPrivateSync(path: string): boolean;
}

/** By mode bits. In Deno it requires `--allow-read` and `--allow-write` for the directory. */
const modeAccess: DirectoryAccess = {
  async makePrivate(path) {
    await mkdir(path, { recursive: true, mode: PRIVATE_MODE });
    await chmod(path, PRIVATE_MODE);
  },
  isPrivate: async (path) => ((await stat(path)).mode & FOREIGN_BITS) === 0,
  isPrivateSync: (path) => (statSync(path).mode & FOREIGN_BITS) === 0,
};

/** The native calls on a Windows directory's access list, which is SDDL text. */
export interface DirectoryAcl {
  /** The access list of a directory. */
  read(path: string): string;
  /** Gives a directory another access list. */
  replace(path: string, sddl: string): void;
}

/** By access lists, as on Windows. */
export function aclAccess(acl: DirectoryAcl): DirectoryAccess {
  return {
    async makePrivate(path) {
      await mkdir(path, { recursive: true });
      acl.replace(path, OWNER_ONLY_SDDL);
    },
    isPrivate: (path) => new Promise((resolve) => resolve(isOwnerOnlyAcl(acl.read(path)))),
    isPrivateSync: (path) => isOwnerOnlyAcl(acl.read(path)),
  };
}

/**
 * How this host keeps directories to their owner.
 *
 * On Windows every method fails with a {@linkcode BrokerError} of code "unsupported": access lists take native
 * calls, so hand {@linkcode aclAccess} to whoever asks for a `DirectoryAccess`.
 */
export const directoryAccess: DirectoryAccess = hostPlatform() === "windows"
  ? aclAccess({ read: needsNativeCalls, replace: needsNativeCalls })
  : modeAccess;

function needsNativeCalls(path: string): never {
  throw new BrokerError(
    "unsupported",
    `Cannot look at who may use "${path}": it needs native calls on Windows`,
  );
}
