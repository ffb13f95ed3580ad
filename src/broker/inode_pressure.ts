import { statfs } from "node:fs/promises";
import type { AdminInodePressure } from "./admin/admin_snapshot.ts";

/** How full the inode table is of the file system that a directory is on, or will be on once it is made. */
export async function inodePressure(directory: string): Promise<AdminInodePressure> {
  for (let folder = directory;; folder = folder.slice(0, folder.lastIndexOf("/"))) {
    try {
      const { files, ffree } = await statfs(folder === "" ? "/" : folder, { bigint: true });
      return { supported: true, inodesTotal: files, inodesFree: ffree };
    } catch (error) {
      const isMissing = (error as { code?: unknown }).code === "ENOENT";
      if (!isMissing || !folder.includes("/")) return { supported: false, detail: (error as Error).message };
    }
  }
}
