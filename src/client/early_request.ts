import type { CancelSignal } from "../cancel_signal.ts";
import { BrokerError } from "../errors.ts";
import { withDeadline } from "../transport/deadline.ts";
import type { DrainableStream, Transport } from "../transport/transport.ts";
import { EARLY_DATA_BYTES_MAX } from "../wire/handoff_extension.ts";
import { readFrame } from "../wire/read_frame.ts";
import type { ConnectBackendRequest } from "./connect_backend_request.ts";
import { takesEarlyData } from "./known_broker.ts";

/** Milliseconds for what is queued on a connection that receives nothing more: it needs no peer to arrive. */
const DRAIN_DEADLINE_MS = 1_000;

/**
 * How a first request travels: "behind-hello" at once, "when-connected" behind everything, as if the caller
 * had written it. Only a request that may run twice goes out on a connection that cannot be drained.
 */
export type EarlyPlan = "behind-hello" | "behind-hello-drainable" | "when-connected";

/** Decides how a first request travels; `undefined` when there is none. */
export function planEarlyRequest(
  { earlyData, adoptHandedOffConnection, broker }: ConnectBackendRequest,
  transport: Pick<Transport, "canDrain" | "fileLook">,
): EarlyPlan | undefined {
  if (earlyData === undefined) return undefined;
  const { bytes, repeatable = false } = earlyData;
  if (bytes.length === 0 || bytes.length > EARLY_DATA_BYTES_MAX) return "when-connected";
  if (adoptHandedOffConnection === false || !(repeatable || transport.canDrain)) return "when-connected";
  if (!takesEarlyData(broker, transport.fileLook)) return "when-connected";
  return repeatable ? "behind-hello" : "behind-hello-drainable";
}

/**
 * Finds out whether a backend may have started an early request, and keeps it from starting one from now on
 * (model rule 14): once receiving has ended here, its ready event cannot be written any more, and without that
 * it starts nothing. One that was written before is found in the queue.
 *
 * @returns Whether the request may run or have run; `false` is certain.
 */
export async function mayHaveRun(
  stream: DrainableStream,
  signal: CancelSignal,
): Promise<boolean> {
  if (!stream.stopReceiving()) return true;
  try {
    const wait = { deadlineMs: DRAIN_DEADLINE_MS, signal };
    await withDeadline("drain a connection", wait, (ended) => readFrame(stream, { signal: ended }));
    // Whatever it is, somebody has written behind the broker.
    return true;
  } catch (error) {
    // Its end, or a part of a frame: READY is written whole or not at all. A queue not seen to its end tells nothing.
    return signal.aborted || (BrokerError.is(error) && error.code === "deadline");
  }
}
