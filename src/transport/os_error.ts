// This module has no I/O.
import { BrokerError } from "../errors.ts";

/** The `code` of an error of the runtime ("ECONNREFUSED", …), if it has one. */
export function osErrorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

/** The last three are what a runtime says of a write that our own closing cut off. */
const GONE = new Set([
  "EPIPE",
  "ECONNRESET",
  "ENOTCONN",
  "ECANCELED",
  "ERR_STREAM_DESTROYED",
  "ERR_SOCKET_CLOSED",
]);

/** Whether an error means that the peer is gone: to a reader that is the same as the end of the stream. */
export function isPeerGone(error: unknown): boolean {
  if (BrokerError.is(error)) return error.code === "closed";
  const code = osErrorCode(error);
  if (code !== undefined) return GONE.has(code);
  const name = (error as { name?: unknown } | null | undefined)?.name;
  return name === "BrokenPipe" || name === "ConnectionReset" || name === "NotConnected" ||
    name === "BadResource";
}

/** Whether a failed connect means that nobody listens there, and nobody has heard of it. */
export function isNobodyThere(error: unknown): boolean {
  const seen = osErrorCode(error) ?? (error as { name?: unknown } | null | undefined)?.name;
  return seen === "ECONNREFUSED" || seen === "ENOENT" || seen === "ConnectionRefused" || seen === "NotFound";
}

/** Turns what a runtime threw on a stream into one error type. */
export function streamError(act: string, error: unknown): BrokerError {
  if (BrokerError.is(error)) return error;
  const seen = osErrorCode(error) ?? (error instanceof Error ? error.message : String(error));
  return new BrokerError(isPeerGone(error) ? "closed" : "os", `Cannot ${act}: ${seen}`, { cause: error });
}
