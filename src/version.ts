// This module has no I/O.

/** Name under which this library introduces itself, the reference's own. */
export const LIBRARY_NAME = "running-process";

/** Version of this package; `deno.json` says the same, which a check holds. */
export const LIBRARY_VERSION = "0.1.0";
