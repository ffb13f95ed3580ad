// This module has no I/O.
import { quotedText } from "../../naming/quoted_text.ts";
import { LaunchError } from "./launch_error.ts";

/** Label of a definition whose binary is a script: what runs it, an absolute path or a name to find on PATH. */
export const INTERPRETER_LABEL = "interpreter";
/** Label with arguments in front of the script, or for the binary: words, or a JSON array of strings. */
export const ARGS_LABEL = "args";
/** Label with the seconds without work after which a backend is to end: a whole number from 1 to 2^32 - 1. */
export const IDLE_TIMEOUT_LABEL = "idle_timeout_secs";
/** What the reference expects of its backends (protocol 6.10). */
export const IDLE_TIMEOUT_SECS_DEFAULT = 30;
/** The wire's field has 32 bits. */
const IDLE_TIMEOUT_SECS_MAX = 2 ** 32 - 1;

/** What a definition's labels say about launching. */
export interface LaunchLabels {
  /** What runs the script; `undefined` when the binary is no script. */
  readonly interpreter: string | undefined;
  /** What stands in front of the script, or behind the binary. */
  readonly args: readonly string[];
  /** Seconds without work after which the backend is to end. */
  readonly idleTimeoutSecs: number;
}

/**
 * Reads the labels, which the reference knows nothing of.
 *
 * @throws {LaunchError} With kind `Label`.
 */
export function launchLabels(labels: Readonly<Record<string, string>>): LaunchLabels {
  const interpreter = labels[INTERPRETER_LABEL];
  if (interpreter?.includes("\0")) throw badLabel(INTERPRETER_LABEL, interpreter);
  return {
    interpreter: interpreter || undefined,
    args: parseArgs(labels[ARGS_LABEL] ?? ""),
    idleTimeoutSecs: parseIdleTimeout(labels[IDLE_TIMEOUT_LABEL] ?? ""),
  };
}

function parseIdleTimeout(text: string): number {
  if (text.trim() === "") return IDLE_TIMEOUT_SECS_DEFAULT;
  const value = Number(text.trim());
  if (/^\d+$/.test(text.trim()) && value >= 1 && value <= IDLE_TIMEOUT_SECS_MAX) return value;
  throw badLabel(IDLE_TIMEOUT_LABEL, text);
}

function parseArgs(text: string): string[] {
  const trimmed = text.trim();
  const args: unknown = trimmed.startsWith("[") ? parseJson(trimmed) : trimmed.split(/\s+/).filter(Boolean);
  const isUsable = Array.isArray(args) &&
    args.every((item) => typeof item === "string" && !item.includes("\0"));
  if (!isUsable) throw badLabel(ARGS_LABEL, text);
  return args;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no list of arguments either: the caller says so.
    return undefined;
  }
}

function badLabel(label: string, seen: string): LaunchError {
  return new LaunchError("Label", `service definition label ${label} cannot be used: ${quotedText(seen)}`);
}
