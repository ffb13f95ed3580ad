// This module has no I/O.

/** A file of an archive. */
export interface ArchiveFile {
  /** Where it is in the archive: at most 99 bytes. */
  readonly path: string;
  /** What it holds, written as UTF-8. */
  readonly text: string;
}
