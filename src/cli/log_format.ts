// This module has no I/O.
import type { BrokerEvent } from "../broker/broker_event.ts";
import { logLine } from "./broker_log.ts";
import { UsageError } from "./command_line.ts";
import { COMMAND_NAME } from "./usage.ts";

/** Chooses what a broker's log is written in. */
export const LOG_FORMAT_VARIABLE = "RP_BROKER_LOG_FORMAT";

/** Lines for people, or one JSON object a line. */
export type LogFormat = "text" | "json";

/** How much an operator should care. */
export type LogLevel = "info" | "warn" | "error";

/**
 * What the environment asks for.
 *
 * @throws {UsageError} When it is something else; the message says what can be asked for.
 */
export function logFormatOf(environment: Readonly<Record<string, string | undefined>>): LogFormat {
  const value = environment[LOG_FORMAT_VARIABLE] || "text";
  if (value === "text" || value === "json") return value;
  throw new UsageError(`${LOG_FORMAT_VARIABLE} must be "text" or "json", seen "${value}"`);
}

/**
 * The line of an event, in a format; `undefined` for what happens all the time.
 *
 * @param unixMs When it happened, in milliseconds since the Unix epoch.
 */
export function formatEvent(
  format: LogFormat,
  event: BrokerEvent,
  endpoint: string,
  unixMs: number,
): string | undefined {
  const message = logLine(event, endpoint);
  if (message === undefined) return undefined;
  if (format === "text") return `${COMMAND_NAME}: ${message}`;
  const { kind, ...fields } = event;
  return jsonLine(levelOf(event), kind, message, { endpoint, ...fields }, unixMs);
}

/** The line for something that ends the broker or keeps it from starting. */
export function formatFailure(
  format: LogFormat,
  message: string,
  endpoint: string,
  unixMs: number,
): string {
  if (format === "text") return `${COMMAND_NAME}: ${message}`;
  return jsonLine("error", "failed", message, { endpoint }, unixMs);
}

function jsonLine(
  level: LogLevel,
  event: string,
  message: string,
  fields: Readonly<Record<string, unknown>>,
  unixMs: number,
): string {
  const ts = new Date(unixMs).toISOString();
  // A reader of JSON may keep numbers as doubles: u64 are written as strings.
  return JSON.stringify(
    { ts, level, event, message, ...fields },
    (_, value) => typeof value === "bigint" ? String(value) : value,
  );
}

/** What keeps somebody from being served is a warning. */
const WARNINGS: ReadonlySet<BrokerEvent["kind"]> = new Set<BrokerEvent["kind"]>([
  "peer-dropped",
  "connection-failed",
  "connection-limit",
  "handoff-fallback",
  "backend-rejected",
  "backend-lost",
  "backend-launch-failed",
]);

function levelOf(event: BrokerEvent): LogLevel {
  if (event.kind === "fd-pressure") return event.isDemoted ? "warn" : "info";
  return WARNINGS.has(event.kind) ? "warn" : "info";
}
