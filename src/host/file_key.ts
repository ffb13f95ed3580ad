import type { BigIntStats } from "node:fs";

/**
 * Tells what has a name from whatever had it before or will have it later: an inode's number may be given to a later
 * file, but not together with its time. The same in every runtime, whose processes compare what each of them has
 * seen: Deno knows no less than a millisecond.
 */
export function fileKey({ dev, ino, mtimeMs }: Pick<BigIntStats, "dev" | "ino" | "mtimeMs">): string {
  return `${dev}:${ino}:${mtimeMs}`;
}
