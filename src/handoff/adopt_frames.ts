// This module has no I/O.
import { decodeHandoffOffer, encodeHandoffAck } from "../wire/handoff_frames.ts";
import { EXTENSION_KEEP_OPEN } from "../wire/handoff_extension.ts";
import type { AdoptOfferPlan, OfferAck, OfferReading } from "./adopt_plan.ts";
import type { SpentTokens } from "./spent_tokens.ts";
import type { HandoffTokenStore } from "./token_store.ts";

/** What the adoption of an offer shares with the others of its backend, and its deadline. */
export interface AdoptOfferRequest {
  /** The backend's token store. */
  readonly tokens: HandoffTokenStore;
  /** The tokens of the backend's earlier adoptions. */
  readonly spent: SpentTokens;
  /** When offer and ACK have to be through, in milliseconds. */
  readonly deadlineMs: number;
  /** Draws the name of a descriptor channel; without it no control connection is kept. */
  readonly drawChannelId?: (() => Uint8Array) | undefined;
}

/**
 * Plans the adoption of one offer with the frames of protocol 7.6 and the checks of protocol 8.1.
 *
 * @param request The backend's stores and the deadline.
 * @returns The plan for the state machine.
 */
export function planAdoptOffer(request: AdoptOfferRequest): AdoptOfferPlan {
  return { ...request, readOffer, encodeAck };
}

function readOffer(body: Uint8Array): OfferReading {
  const decoded = decodeHandoffOffer(body);
  if (!decoded.ok) return decoded;
  const { token, serviceName, correlationId, residue, extensions } = decoded.offer;
  const offer = {
    token: Uint8Array.from(token),
    serviceName,
    correlationId,
    residue: Uint8Array.from(residue),
    extensions,
  };
  return { ok: true, offer };
}

/** Without a channel no extension bit is honoured, and the bytes are the reference's. */
function encodeAck({ token, isAccepted, errorDetail, correlationId, channelId }: OfferAck): Uint8Array {
  const kept = channelId === undefined ? {} : { extensions: EXTENSION_KEEP_OPEN, channelId };
  return encodeHandoffAck({ token, accepted: isAccepted, errorDetail, correlationId, ...kept });
}
