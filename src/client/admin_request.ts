import type { MessageInitShape } from "@bufbuild/protobuf";
import { withDeadline } from "../transport/deadline.ts";
import { loadTransport } from "../transport/load_transport.ts";
import { decodeAdminReply, encodeAdminRequest } from "../wire/admin_frames.ts";
import type { AdminReply, AdminRequestSchema } from "../wire/gen/broker_v1_admin_pb.ts";
import { readFrame } from "../wire/read_frame.ts";
import { BrokerClientError, withoutCode } from "./client_error.ts";
import { CONNECT_DEADLINE_MS_DEFAULT } from "./connect_backend_request.ts";

/** How long to wait for a broker's answer. */
export interface AdminRequestOptions {
  /** Milliseconds until the request is given up. @default {30000} */
  deadlineMs?: number;
  /** Ends the request early, with its reason. */
  signal?: AbortSignal;
}

/**
 * Asks a running broker about itself (protocol 5.4).
 *
 * Requires `--allow-read`, `--allow-write` and `--allow-net` for the endpoint in Deno.
 *
 * @param broker Endpoint of the broker: on Unix the path of its socket.
 * @param request What to ask; see protocol 6.11 for the verbs.
 * @param options How long to wait.
 * @returns The broker's answer, its exit code included.
 * @throws {BrokerClientError} Of kind "BrokerConnect", "Framing", "DecodeFrame", "UnexpectedResponseFrame",
 *   "DecodeAdminReply" or "Deadline".
 */
export async function sendAdminRequest(
  broker: string,
  request: MessageInitShape<typeof AdminRequestSchema>,
  options: AdminRequestOptions = {},
): Promise<AdminReply> {
  const wait = { deadlineMs: options.deadlineMs ?? CONNECT_DEADLINE_MS_DEFAULT, signal: options.signal };
  const transport = await loadTransport();
  const body = await withDeadline(`hear from the broker "${broker}"`, wait, async (signal) => {
    const step = { kind: "BrokerConnect" as "BrokerConnect" | "Framing" };
    try {
      const stream = await transport.connect(broker, { ...wait, signal });
      step.kind = "Framing";
      try {
        await stream.write(encodeAdminRequest(request));
        return await readFrame(stream, { signal });
      } finally {
        stream.close();
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      const kind = signal.aborted ? "Deadline" : step.kind;
      throw new BrokerClientError(kind, withoutCode(error), { cause: error });
    }
  });
  const decoded = decodeAdminReply(body);
  if (decoded.ok) return decoded.reply;
  throw new BrokerClientError(decoded.kind, decoded.detail);
}
