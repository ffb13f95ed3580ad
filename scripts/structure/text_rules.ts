// This module has no I/O.
import type { SourceFile, SourceTree, Violation } from "./source_file.ts";
import { violationsOf } from "./source_file.ts";

/** A longer file holds more than one noun. */
export const FILE_LINES_MAX = 300;
/** A longer README is not read. */
export const README_LINES_MAX = 150;

// The rooms that name a runtime; everywhere else the runtimes' common ground is enough.
const RUNTIME_ROOMS = /^(ffi|src\/transport|scripts|tests|bench)\//;
const GENERATED = /^src\/wire\/gen\//;
const LOCK_FILE = /(^|\/)(deno\.lock|package-lock\.json|bun\.lock|Cargo\.lock)$/;
const CRATES_INDEX = "https://github.com/rust-lang/crates.io-index";
// Put together so that this file does not contain them.
const LEFTOVER_WORDS = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`, "g");

/** The rules that need no more than the text of a file. */
export function checkTexts(tree: SourceTree): Violation[] {
  return [
    ...[...tree.sources.values()].flatMap((source) => [...checkSource(source), ...checkTest(source)]),
    ...[...tree.texts].flatMap(([path, text]) => checkText(path, text)),
  ];
}

function checkSource(source: SourceFile): Violation[] {
  const { path, text, code } = source;
  if (GENERATED.test(path)) return [];
  const tooLong = checkLines(path, text, "file-length", FILE_LINES_MAX);
  if (RUNTIME_ROOMS.test(path)) return tooLong;
  const message = 'Only ffi/ and src/transport/ name a runtime: "$&"';
  const rule = { rule: "runtime-global", pattern: /\b(?:Deno|Bun)\b/g, within: code, message };
  return [...tooLong, ...violationsOf(source, rule)];
}

function checkTest(source: SourceFile): Violation[] {
  const { path, code } = source;
  if (!path.startsWith("tests/")) return [];
  const only = {
    rule: "test-only",
    pattern: /\.only\s*\(|\bonly:\s*true\b/g,
    within: code,
    message: 'A test that keeps others from running: "$&"',
  };
  const skip = {
    rule: "test-skip",
    pattern: /\b(?:test|it|describe|suite|t|context)\.(?:skip|todo)\s*\(|\b(?:skip|todo):\s*true\b|\btodo:/g,
    within: code,
    message: 'A skipped test states its reason, as in { skip: isRoot ? false : "needs root" }: "$&"',
  };
  return [...violationsOf(source, only), ...violationsOf(source, skip)];
}

function checkText(path: string, text: string): Violation[] {
  if (LOCK_FILE.test(path)) return checkLock(path, text);
  const message = 'A leftover word: "$&"';
  const leftover = { rule: "leftover-word", pattern: LEFTOVER_WORDS, within: text, message };
  const readme = path === "README.md" ? checkLines(path, text, "readme-length", README_LINES_MAX) : [];
  return [...violationsOf({ path, text }, leftover), ...readme];
}

function checkLock(path: string, text: string): Violation[] {
  const within = text.replaceAll(CRATES_INDEX, (index) => " ".repeat(index.length));
  const message = 'A lock file names a host: "$&"';
  return violationsOf({ path, text }, {
    rule: "lock-host",
    pattern: /https?:\/\/[^\s"/]+/g,
    within,
    message,
  });
}

function checkLines(path: string, text: string, rule: string, linesMax: number): Violation[] {
  const lines = text.replace(/\n$/, "").split("\n").length;
  const message = `${lines} lines, at most ${linesMax} wanted`;
  return lines > linesMax ? [{ rule, path, line: linesMax + 1, message }] : [];
}
