import { BrokerError } from "../errors.ts";
import { withDeadline } from "../transport/deadline.ts";
import type { WaitOptions } from "../transport/wait_options.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import { isPeerGone } from "../transport/os_error.ts";
import { CAPABILITY_HANDLE_PASSING, CAPABILITY_HANDOFF_ANNOUNCED } from "../wire/constants.ts";
import type { Negotiated } from "../wire/gen/broker_v1_envelope_pb.ts";
import { decodeHandoffReady } from "../wire/handoff_frames.ts";
import { readFrame } from "../wire/read_frame.ts";
import { withoutCode } from "./client_error.ts";

/**
 * Whether to wait for the connection to be handed over (protocol 5.3 S9).
 *
 * "auto" waits only for a broker that says so by bit 32: the reference issues tokens also when no
 * handover can follow, and waiting for one then costs the whole timeout.
 */
export function handoffAnnounced(adopt: "auto" | boolean, negotiated: Negotiated): boolean {
  if (adopt === false || negotiated.handlePassedToken.length === 0) return false;
  const bits = adopt === "auto"
    ? CAPABILITY_HANDLE_PASSING | CAPABILITY_HANDOFF_ANNOUNCED
    : CAPABILITY_HANDLE_PASSING;
  return (negotiated.serverCapabilities & bits) === bits;
}

/** Why a connection was not handed over. */
export interface HandoffFallback {
  /** What was seen, for people. */
  readonly detail: string;
  /** The connection has ended: whatever was written on it before has been read. */
  readonly isEnd: boolean;
}

/**
 * Milliseconds of a second look behind the deadline: a process that was held up finds its timer due before it has
 * read what arrived in time.
 */
const LAST_LOOK_MS = 5;

/**
 * Waits for the one frame that says that the backend now holds the other end (protocol 5.3 S10).
 *
 * @returns Why the connection was not handed over; `undefined` when it was. Bytes behind the frame
 *   stay in the stream, and a part of one is lost.
 * @throws The caller's abort reason only: everything else is a reason to reconnect (model rule 10).
 */
export async function awaitHandoffReady(
  stream: LocalStream,
  negotiated: Negotiated,
  wait: WaitOptions,
): Promise<HandoffFallback | undefined> {
  const readWithin = (limits: WaitOptions) =>
    withDeadline("see the handoff-ready event", limits, (signal) => readFrame(stream, { signal }));
  try {
    const body = await readWithin(wait).catch((error) => {
      if (!BrokerError.is(error) || error.code !== "deadline") throw error;
      return readWithin({ ...wait, deadlineMs: LAST_LOOK_MS });
    });
    const ready = decodeHandoffReady(body, negotiated.handlePassedToken);
    return ready.ok ? undefined : { detail: ready.detail, isEnd: false };
  } catch (error) {
    wait.signal?.throwIfAborted();
    if (isPeerGone(error)) return { detail: "the broker closed the connection", isEnd: true };
    if (BrokerError.is(error) && error.code === "deadline") {
      return { detail: `no handoff-ready event in ${wait.deadlineMs} ms`, isEnd: false };
    }
    return { detail: withoutCode(error), isEnd: false };
  }
}
