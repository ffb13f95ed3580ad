// This module has no I/O.

/** A source with what is not code blanked out; all texts have the source's length and lines. */
export interface SourceText {
  /** The source itself. */
  text: string;
  /** Comments and the insides of strings, templates and regular expressions are spaces. */
  code: string;
  /** Everything but comments is spaces. */
  comments: string;
}

/** An import, export-from, or `import()` of a literal. */
export interface ImportFound {
  specifier: string;
  line: number;
  kind: "static" | "re-export" | "dynamic";
}

type Part = "code" | "comment" | "quoted";

const REGEX_MAY_FOLLOW_WORD = /\b(?:return|typeof|case|in|of|await|yield|void|delete|throw|new|else|do)$/;
const REGEX_MAY_FOLLOW_SIGN = /[(,=:[!&|?{};+\-*%<>~^]$/;

/** Splits a source into code and comments. */
export function readSourceText(text: string): SourceText {
  const parts = new Array<Part>(text.length).fill("code");
  markCode(text, 0, parts, false);
  const only = (wanted: Part) =>
    text.replace(/[^\n]/g, (char, at: number) => parts[at] === wanted ? char : " ");
  return { text, code: only("code"), comments: only("comment") };
}

/** The line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Every module a source names literally. */
export function findImports({ text, code }: SourceText): ImportFound[] {
  const patterns: readonly [RegExp, (match: string) => ImportFound["kind"]][] = [
    [
      /\b(?:import|export)\b[\w\s{},*$]*?\bfrom\s*"( *)"/g,
      (it) => it.startsWith("export") ? "re-export" : "static",
    ],
    [/\bimport\s*"( *)"/g, () => "static"],
    [/\bimport\s*\(\s*"( *)"/g, () => "dynamic"],
  ];
  return patterns.flatMap(([pattern, kind]) =>
    [...code.matchAll(pattern)].map((match) => {
      const end = match.index + match[0].length - 1;
      const specifier = text.slice(end - (match[1] ?? "").length, end);
      return { specifier, line: lineAt(text, match.index), kind: kind(match[0]) };
    })
  );
}

/** Marks from an offset to the end, or to the brace that closes a template's expression; tells where. */
function markCode(text: string, start: number, parts: Part[], inTemplate: boolean): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const char = text[at];
    if (char === "/" && (text[at + 1] === "/" || text[at + 1] === "*")) at = markComment(text, at, parts);
    else if (char === '"' || char === "'") at = markQuoted(text, at, parts, char);
    else if (char === "`") at = markTemplate(text, at, parts);
    else if (char === "/" && startsRegex(text, at)) at = markRegex(text, at, parts);
    else {
      if (char === "{") depth += 1;
      if (char === "}" && inTemplate && depth-- === 0) return at;
      at += 1;
    }
  }
  return at;
}

function markComment(text: string, start: number, parts: Part[]): number {
  const isLine = text[start + 1] === "/";
  const found = text.indexOf(isLine ? "\n" : "*/", start + 2);
  const end = found === -1 ? text.length : found + (isLine ? 0 : 2);
  parts.fill("comment", start, end);
  return end;
}

/** Marks what lies between two quotes; an unclosed quote ends with its line. */
function markQuoted(text: string, start: number, parts: Part[], quote: string): number {
  let at = start + 1;
  while (at < text.length && text[at] !== quote && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
  parts.fill("quoted", start + 1, Math.min(at, text.length));
  return at + 1;
}

function markTemplate(text: string, start: number, parts: Part[]): number {
  let at = start + 1;
  while (at < text.length && text[at] !== "`") {
    if (text[at] === "$" && text[at + 1] === "{") {
      at = markCode(text, at + 2, parts, true) + 1;
    } else {
      const width = text[at] === "\\" ? 2 : 1;
      parts.fill("quoted", at, at + width);
      at += width;
    }
  }
  return at + 1;
}

function startsRegex(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 80), at).trimEnd();
  return before === "" || REGEX_MAY_FOLLOW_SIGN.test(before) || REGEX_MAY_FOLLOW_WORD.test(before);
}

function markRegex(text: string, start: number, parts: Part[]): number {
  let inClass = false;
  let at = start + 1;
  while (at < text.length && text[at] !== "\n" && (inClass || text[at] !== "/")) {
    if (text[at] === "[") inClass = true;
    if (text[at] === "]") inClass = false;
    at += text[at] === "\\" ? 2 : 1;
  }
  parts.fill("quoted", start + 1, Math.min(at, text.length));
  return at + 1;
}
