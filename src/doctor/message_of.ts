// This module has no I/O.
import { BrokerError } from "../errors.ts";

/** What went wrong, in one line and without the code that a {@linkcode BrokerError} puts in front. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const text = BrokerError.is(error) ? message.slice(`[${error.code}] `.length) : message;
  return text.replace(/\s+/g, " ").trim() || "no reason was given";
}
