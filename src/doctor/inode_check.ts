// This module has no I/O.
import { daemonDataDirectory } from "../naming/directories.ts";
import { type DoctorCheck, fail, pass, warn } from "./doctor_check.ts";
import type { DoctorHost } from "./doctor_host.ts";

/** Name of the check, and of its area. */
export const INODE_CHECK = "filesystem:inodes";

/** Below these shares of free inodes the check warns or fails (protocol 10.2), in percent. */
const WARN_BELOW_PERCENT = 5n;
const FAIL_BELOW_PERCENT = 1n;

/** Check 10: whether the daemon's data can still get files (protocol 10.2). */
export async function inodeCheck(host: DoctorHost): Promise<DoctorCheck> {
  const { path } = daemonDataDirectory(host.values);
  if (host.values.platform === "windows") {
    return pass(INODE_CHECK, `not applicable on Windows: ${path} is on a file system without an inode table`);
  }
  const facts = await host.inodes(path);
  if (!facts.supported) {
    return warn(INODE_CHECK, `the inodes of ${path} cannot be counted: ${facts.detail}; look with df -i`);
  }
  const { inodesTotal: total, inodesFree: free } = facts;
  if (total === 0n) {
    return pass(INODE_CHECK, `not applicable: ${path} is on a file system without an inode table`);
  }
  const used = free < total ? total - free : 0n;
  const detail = `${path}: ${free} of ${total} inodes free (${
    (Number(used) * 100 / Number(total)).toFixed(1)
  }% used)`;
  if (free * 100n < total * FAIL_BELOW_PERCENT) {
    return fail(INODE_CHECK, `${detail}: new files are about to fail with ENOSPC; remove files from it`);
  }
  if (free * 100n < total * WARN_BELOW_PERCENT) {
    return warn(INODE_CHECK, `${detail}: few are left; remove files from it`);
  }
  return pass(INODE_CHECK, detail);
}
