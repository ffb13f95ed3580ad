// This module has no I/O.

/** The JavaScript runtime this process runs in. */
export type Runtime = "deno" | "bun" | "node";

const globals = globalThis as { Deno?: unknown; Bun?: unknown };

/** Picked once: the runtimes differ in how they adopt and connect sockets, and in nothing else here. */
export const runtime: Runtime = globals.Deno !== undefined
  ? "deno"
  : globals.Bun !== undefined
  ? "bun"
  : "node";
