import { loadTransport } from "../transport/load_transport.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import { CONNECT_DEADLINE_MS_DEFAULT } from "./connect_backend_request.ts";

/**
 * Connects to a local endpoint without any protocol.
 *
 * Requires `--allow-read`, `--allow-write` and `--allow-net` for the endpoint in Deno.
 *
 * @param endpoint On Unix the path of a socket, used as it is.
 * @param options `deadlineMs`: milliseconds to wait, 30000 by default; `signal` ends the wait early.
 * @returns The connection, the caller's to close.
 * @throws {BrokerError} With code "os" when nobody listens, "deadline" when the time is up, "config" for
 *   an endpoint that cannot be one.
 */
export async function connectLocalSocket(
  endpoint: string,
  options: { deadlineMs?: number; signal?: AbortSignal } = {},
): Promise<LocalStream> {
  const transport = await loadTransport();
  const deadlineMs = options.deadlineMs ?? CONNECT_DEADLINE_MS_DEFAULT;
  return await transport.connect(endpoint, { deadlineMs, signal: options.signal });
}
