import { randomBytes } from "node:crypto";
import { link, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BrokerError } from "../../errors.ts";
import { osErrorCode, osErrorText } from "../../host/os_error_text.ts";
import { quotedText } from "../../naming/quoted_text.ts";

/** For its owner alone: what a bundle says is nobody else's business. */
const FILE_MODE = 0o600;

const REMEDIES: Readonly<Record<string, string>> = {
  EEXIST: "it exists already; choose another name or remove it",
  ENOENT: "its directory does not exist; make it or choose another one",
  ENOTDIR: "its directory is none; choose another one",
  EACCES: "its directory is not writable for you; choose another one",
  EPERM: "its directory is not writable for you, or on a file system without links; choose another one",
  EROFS: "its file system is read-only; choose another one",
  ENOSPC: "no space is left; choose another file system",
};

/**
 * Writes a file that must not exist yet: whole, or not at all.
 *
 * The bytes go to an unused name beside it, to the disk, and then get the name as well, which the kernel gives to
 * one file only. Whatever fails, nothing is left behind.
 *
 * @param path The file.
 * @param bytes All of it.
 * @throws {BrokerError} With code "config" when the name is taken or cannot be had, "os" for other failures.
 */
export async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.tmp-${randomBytes(8).toString("hex")}`);
  let isCreated = false;
  try {
    const file = await open(temporary, "wx", FILE_MODE);
    isCreated = true;
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
  } catch (cause) {
    const remedy = REMEDIES[osErrorCode(cause) ?? ""];
    const code = remedy === undefined ? "os" : "config";
    throw new BrokerError(code, `Cannot write ${quotedText(path)}: ${remedy ?? osErrorText(cause)}`, {
      cause,
    });
  } finally {
    if (isCreated) await rm(temporary, { force: true });
  }
}
