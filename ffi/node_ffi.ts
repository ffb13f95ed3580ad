import process from "node:process";

/** One function of a `node:ffi` table. */
export interface NodeFunction {
  readonly arguments: readonly string[];
  readonly return: string;
}

/** The part of `node:ffi` (Node 26.1 and later) that is used, declared here as older type packages lack it. */
export interface NodeFfi {
  dlopen(path: string, functions: Readonly<Record<string, NodeFunction>>): { readonly functions: unknown };
  getInt32(pointer: bigint, offset: number): number;
  getRawPointer(bytes: Uint8Array): bigint;
}

/** The part of `process` that loading a builtin module involves. */
export interface ModuleHost {
  getBuiltinModule?: (id: string) => unknown;
  emitWarning: (warning: string | Error, ...rest: unknown[]) => void;
}

/**
 * Node's own native calls, or `undefined` where this Node has none.
 *
 * Loading them announces an experiment on stderr, which is no concern of a tool's user. Exactly that one warning
 * is dropped; the load is synchronous, so nothing else can run while warnings are looked at.
 */
export function loadNodeFfi(host: ModuleHost = process as unknown as ModuleHost): NodeFfi | undefined {
  const { emitWarning } = host;
  host.emitWarning = (warning, ...rest) => {
    if (rest[0] === "ExperimentalWarning" && String(warning).startsWith("FFI ")) return;
    Reflect.apply(emitWarning, host, [warning, ...rest]);
  };
  try {
    return host.getBuiltinModule?.("node:ffi") as NodeFfi | undefined;
  } finally {
    host.emitWarning = emitWarning;
  }
}
