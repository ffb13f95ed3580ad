import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { createTar } from "nanotar";
import type { ArchiveFile } from "./archive_file.ts";

/** Ends an archive; the library leaves it out when its last block is full. */
const END_BYTES = 1024;

const compress = promisify(gzip);

/**
 * A `.tar.gz` with these files, readable for their owner, of nobody in particular.
 *
 * @param files The files, in the order they are stored.
 * @param modifiedUnixMs What they say when they were made.
 */
export async function bundleArchive(
  files: readonly ArchiveFile[],
  modifiedUnixMs: number,
): Promise<Uint8Array> {
  // As bytes: the library takes an empty text for a directory.
  const entries = files.map(({ path, text }) => ({ name: path, data: new TextEncoder().encode(text) }));
  const tar = createTar(entries, { attrs: { mode: "600", uid: 0, gid: 0, mtime: modifiedUnixMs } });
  const ended = new Uint8Array(tar.length + END_BYTES);
  ended.set(tar);
  return new Uint8Array(await compress(ended));
}
