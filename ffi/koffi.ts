/** A function made by koffi. */
type KoffiFunction = (...args: readonly (number | Uint8Array)[]) => number;

/** The part of the optional package koffi that is used, declared here as it may not be installed. */
export interface Koffi {
  load(path: string): { func(name: string, result: string, parameters: readonly string[]): KoffiFunction };
  errno(): number;
  address(bytes: Uint8Array): bigint;
}

/** koffi, or why it is not there. */
export type KoffiResult =
  | { readonly ok: true; readonly koffi: Koffi }
  | { readonly ok: false; readonly reason: string };

/** Loads the optional package koffi. Never rejects. */
export async function loadKoffi(): Promise<KoffiResult> {
  // Through a variable: the package is optional, and bundlers must not require it.
  const specifier = "koffi";
  try {
    const loaded = await import(specifier) as { readonly default: Koffi };
    return { ok: true, koffi: loaded.default };
  } catch (error) {
    return { ok: false, reason: describeKoffiFailure(error) };
  }
}

/** Says what to do about a failed import of koffi. */
export function describeKoffiFailure(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") {
    return "the optional package koffi is not installed: run `npm install koffi`";
  }
  return `the optional package koffi does not load: ${String(message ?? error)}`;
}
