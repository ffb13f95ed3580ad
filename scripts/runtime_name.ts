// This module has no I/O.

/** A runtime the project is tested on. */
export type RuntimeName = "deno" | "bun" | "node20" | "node24" | "node26";

/** Every runtime, in the order they are shown. */
export const runtimeNames: readonly RuntimeName[] = ["deno", "bun", "node20", "node24", "node26"];
