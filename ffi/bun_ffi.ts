/** One symbol of a `bun:ffi` table. */
export interface BunSymbol {
  readonly args: readonly string[];
  readonly returns: string;
}

/** The part of `bun:ffi` that is used, declared here so that no build needs its types. */
export interface BunFfi {
  dlopen(path: string, symbols: Readonly<Record<string, BunSymbol>>): { readonly symbols: unknown };
  ptr(bytes: Uint8Array): number;
  readonly read: { i32(pointer: number, offset: number): number };
}

/** Bun's native calls. Only to be asked for in Bun. */
export async function loadBunFfi(): Promise<BunFfi> {
  // Through a variable: other runtimes and bundlers must not try to resolve it.
  const specifier = "bun:ffi";
  return await import(specifier) as BunFfi;
}
