// This module has no I/O.
import {
  decodeHandoffAck,
  encodeHandoffOffer,
  encodeHandoffReady,
  type OfferedHandoff,
} from "../wire/handoff_frames.ts";
import { CHANNEL_ID_BYTES, EXTENSION_KEEP_OPEN } from "../wire/handoff_extension.ts";
import type { HandoffToken } from "./handoff_token.ts";
import type { AckReading, RelayHandoffPlan } from "./relay_plan.ts";

/** A connection that is to be handed off in relay mode on a control connection of its own. */
export interface RelayHandoffRequest {
  /** The token in the HelloReply. */
  readonly token: HandoffToken;
  /** The connection id in the HelloReply. */
  readonly correlationId: bigint;
  /** The service the client asked for. */
  readonly serviceName: string;
  /** When the ACK comes too late: the deadline of its registration, in milliseconds. */
  readonly ackDeadlineMs: number;
  /** Bytes behind the Hello that were read already. */
  readonly residueBytes: number;
  /** The Hello announces early data. */
  readonly isEarlyDataAnnounced: boolean;
  /** Ask the backend to keep the control connection open; a reference backend skips that field. */
  readonly keepsControlOpen: boolean;
}

/**
 * Encodes the frames of a relay-mode handoff on Unix (protocol 7.6), where no handle value travels.
 *
 * @param request The connection.
 * @returns The plan for the state machine.
 */
export function planRelayHandoff(request: RelayHandoffRequest): RelayHandoffPlan {
  const { token, correlationId, serviceName, ackDeadlineMs, residueBytes, isEarlyDataAnnounced } = request;
  const offered: OfferedHandoff = { token: token.toBytes(), correlationId };
  return {
    token,
    offerBytes: encodeHandoffOffer({
      token: offered.token,
      serviceName,
      correlationId,
      extensions: request.keepsControlOpen ? EXTENSION_KEEP_OPEN : 0n,
    }),
    readyBytes: encodeHandoffReady({ token: offered.token, accepted: true, correlationId }),
    readAck: (body) => readAckOf(offered, body),
    ackDeadlineMs,
    residueBytes,
    isEarlyDataAnnounced,
  };
}

/**
 * Reads a frame of a control connection as the answer to one offer: correlation id and token must both
 * be the offer's (model rule 18).
 *
 * @param offered The offer.
 * @param body The frame's body.
 * @returns What the frame means to that offer.
 */
export function readAckOf(offered: OfferedHandoff, body: Uint8Array): AckReading {
  const answer = decodeHandoffAck(body, () => offered);
  if (answer.ok) {
    const { readyRelayed: isReadyRelayed, extensions, channelId } = answer.ack;
    const isKept = (extensions & EXTENSION_KEEP_OPEN) !== 0n && channelId.length === CHANNEL_ID_BYTES;
    return { kind: "accepted", isReadyRelayed, channelId: isKept ? channelId.slice() : undefined };
  }
  return { kind: answer.reason === "rejected" ? "rejected" : "unmatched", detail: answer.detail };
}
