// This module has no I/O.
import type { LocalStream } from "./local_stream.ts";

/** A stream that shows its descriptor. */
export interface ShownStream extends LocalStream {
  /** The descriptor, to use but not to close; `undefined` when there is none any more. */
  readonly fd: number | undefined;
}
