// This module has no I/O.
import type { SourceFile, SourceTree, Violation } from "./source_file.ts";
import { violationsOf } from "./source_file.ts";

/** The first line of a file that touches nothing outside itself. */
export const PURE_MARKER = "// This module has no I/O.";

const PURE_ROOMS = /^src\/(wire|naming)\//;
const GENERATED = /^src\/wire\/gen\//;
const PURE_PACKAGES = /^(@bufbuild\/protobuf|@noble\/hashes)(\/|$)/;
// The clock, randomness, timers and the process come in as parameters.
const IMPURE_NAMES =
  /\b(?:Date\.now|new Date\(\)|Math\.random|crypto\.(?:getRandomValues|randomUUID)|performance\.|setTimeout|setInterval|setImmediate|queueMicrotask|console\.|process\.|fetch\(|WebSocket\b)/g;

/** Whether a file promises to be pure, or was generated into a pure room. */
export function isPure({ path, text }: { path: string; text: string }): boolean {
  return GENERATED.test(path) || text.startsWith(PURE_MARKER);
}

/** The rules about files that promise to have no I/O, and rooms where every file must promise it. */
export function checkPurity(tree: SourceTree): Violation[] {
  return [...tree.sources.values()].flatMap((source) => {
    if (isPure(source)) return GENERATED.test(source.path) ? [] : checkPure(tree, source);
    const message = `The first line must be "${PURE_MARKER}" in this room`;
    return PURE_ROOMS.test(source.path) ? [{ rule: "pure-marker", path: source.path, line: 1, message }] : [];
  });
}

function checkPure(tree: SourceTree, source: SourceFile): Violation[] {
  // Types count, too: with them, the file that has them comes into the type check without runtime libraries.
  const imports = source.imports.flatMap(({ specifier, target, line }) => {
    const imported = target === undefined ? undefined : tree.sources.get(target);
    if (imported === undefined ? PURE_PACKAGES.test(specifier) : isPure(imported)) return [];
    const message = `A module without I/O imports "${specifier}"`;
    return [{ rule: "pure-import", path: source.path, line, message }];
  });
  const message = 'A module without I/O uses "$&"';
  const rule = { rule: "pure-name", pattern: IMPURE_NAMES, within: source.code, message };
  return [...imports, ...violationsOf(source, rule)];
}
