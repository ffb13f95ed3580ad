// This module has no I/O.
import { findImports, type ImportFound, readSourceText, type SourceText } from "./source_text.ts";

/** A broken rule, at a place a reader can go to. */
export interface Violation {
  rule: string;
  path: string;
  line: number;
  message: string;
}

/** A TypeScript file of the project. */
export interface SourceFile extends SourceText {
  /** Relative to the root, with forward slashes. */
  path: string;
  imports: readonly ResolvedImport[];
}

/** An import, with the project file it names when it is a relative one. */
export interface ResolvedImport extends ImportFound {
  target: string | undefined;
}

/** The project's text files, by path. */
export interface SourceTree {
  texts: ReadonlyMap<string, string>;
  sources: ReadonlyMap<string, SourceFile>;
}

/** Reads a source and the project paths its relative imports name. */
export function readSource(path: string, text: string): SourceFile {
  const source = readSourceText(text);
  const imports = findImports(source).map((found) => ({
    ...found,
    target: found.specifier.startsWith(".") ? besides(path, found.specifier) : undefined,
  }));
  return { path, ...source, imports };
}

function besides(path: string, specifier: string): string {
  return decodeURI(new URL(specifier, `file:///${path}`).pathname).slice(1);
}

/** Every match of a pattern in one part of a source, as violations of a rule. */
export function violationsOf(
  { path, text }: { path: string; text: string },
  { rule, pattern, within, message }: { rule: string; pattern: RegExp; within: string; message: string },
): Violation[] {
  return [...within.matchAll(pattern)].map((match) => ({
    rule,
    path,
    line: text.slice(0, match.index).split("\n").length,
    message: message.replace("$&", match[0].trim()),
  }));
}
