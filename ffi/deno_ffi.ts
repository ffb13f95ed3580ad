/** One symbol of a `Deno.dlopen` table. */
export interface DenoSymbol {
  readonly name?: string;
  readonly parameters: readonly string[];
  readonly result: string;
}

/** The part of the `Deno` namespace that native calls need, declared here so that no build needs its types. */
export interface DenoFfi {
  readonly build: { readonly target: string };
  readonly permissions: {
    querySync(descriptor: { name: "ffi"; path: string }): { readonly state: string };
  };
  dlopen(path: string, symbols: Readonly<Record<string, DenoSymbol>>): { readonly symbols: unknown };
}

/** Deno's native calls. Only to be asked for in Deno. */
export function denoFfi(): DenoFfi {
  return (globalThis as unknown as { readonly Deno: DenoFfi }).Deno;
}
