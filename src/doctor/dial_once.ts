import { withDeadline } from "../transport/deadline.ts";
import { loadTransport } from "../transport/load_transport.ts";
import { osErrorCode } from "../transport/os_error.ts";
import { readFrame } from "../wire/read_frame.ts";
import type { DialOutcome } from "./doctor_host.ts";
import { messageOf } from "./message_of.ts";

/**
 * Sends one request to an endpoint and waits for one frame. Never rejects.
 *
 * Requires `--allow-read`, `--allow-write` and `--allow-net` for the endpoint in Deno.
 *
 * @param endpoint On Unix the path of a socket.
 * @param request A whole frame with its header.
 * @param deadlineMs Milliseconds for all of it.
 */
export async function dialOnce(
  endpoint: string,
  request: Uint8Array,
  deadlineMs: number,
): Promise<DialOutcome> {
  let isConnected = false;
  try {
    const transport = await loadTransport();
    const wait = { deadlineMs };
    return await withDeadline(`hear from "${endpoint}"`, wait, async (signal) => {
      const stream = await transport.connect(endpoint, { ...wait, signal });
      isConnected = true;
      try {
        await stream.write(request);
        return { kind: "answered", body: await readFrame(stream, { signal }) } as const;
      } finally {
        stream.close();
      }
    });
  } catch (error) {
    const detail = messageOf(error);
    if (isConnected) return { kind: "silent", detail };
    const code = osErrorCode((error as { readonly cause?: unknown }).cause);
    // Only a refused connection proves that nobody listens; a timeout proves nothing.
    return { kind: "unreachable", isRefused: code === "ECONNREFUSED", detail: code ?? detail };
  }
}
