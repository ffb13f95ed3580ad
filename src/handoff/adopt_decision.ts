// This module has no I/O.
import { EXTENSION_KEEP_OPEN } from "../wire/handoff_extension.ts";
import { acceptHandedOff, type HandoffRejection, handoffRejectionDetail } from "./accept_handed_off.ts";
import { closeAdoption } from "./adopt_ending.ts";
import type { AdoptCloseReason, AdoptOfferPlan, ReceivedOffer } from "./adopt_plan.ts";
import type { AdoptOfferTurn } from "./adopt_step.ts";
import type { HandoffToken } from "./handoff_token.ts";

/**
 * Judges a complete offer: its frame first, then its token against the raw prefix (protocol 8.1).
 *
 * @param plan What the adoption needs to know; its stores are changed.
 * @param fd The descriptor that came with the prefix.
 * @param expectedToken The raw prefix: the token the descriptor came with.
 * @param body The offer's frame body.
 * @param nowMs The time.
 * @returns A look at the connection next, a refusing ACK, or the end of an offer that is none.
 */
export function decideAdoption(
  plan: AdoptOfferPlan,
  fd: number,
  expectedToken: HandoffToken,
  body: Uint8Array,
  nowMs: number,
): AdoptOfferTurn {
  const reading = plan.readOffer(body);
  if (!reading.ok) return closeAdoption([fd], "invalid-offer", reading.detail);
  const { offer } = reading;
  const errorDetail = judgeToken(plan, expectedToken, offer, nowMs);
  if (errorDetail !== undefined) return refuse(plan, fd, offer, "token-rejected", errorDetail);
  if (offer.residue.length > 0) {
    return refuse(plan, fd, offer, "early-data", "handoff in relay mode cannot carry early data");
  }
  return { state: { phase: "decide", plan, fd, offer }, steps: [{ kind: "test-connection", fd }] };
}

/**
 * Judges the connection itself: bytes that are there before the ready event would be answered before it,
 * and the client would run them twice (model rule 3, second line of defence).
 *
 * @param plan What the adoption needs to know.
 * @param fd The offered connection.
 * @param offer The offer, whose token was right.
 * @param readable What a look at the connection showed.
 * @returns The ACK to write.
 */
export function testAdoption(
  plan: AdoptOfferPlan,
  fd: number,
  offer: ReceivedOffer,
  readable: "empty" | "readable" | "eof",
): AdoptOfferTurn {
  if (readable === "readable") {
    return refuse(plan, fd, offer, "early-data", "handoff connection has data before it is ready");
  }
  if (readable === "eof") {
    return refuse(plan, fd, offer, "connection-eof", "handoff connection was closed by the client");
  }
  const isKept = (offer.extensions & EXTENSION_KEEP_OPEN) !== 0n;
  const channelId = isKept ? plan.drawChannelId?.() : undefined;
  const { token, correlationId } = offer;
  const bytes = plan.encodeAck({ token, isAccepted: true, errorDetail: "", correlationId, channelId });
  return {
    state: { phase: "ack", plan, verdict: { kind: "adopt", fd, offer, channelId } },
    steps: [{ kind: "write-ack", bytes, deadlineMs: plan.deadlineMs }],
  };
}

/** The detail of a rejection, or nothing when the token is right, now used up and never good again. */
function judgeToken(
  plan: AdoptOfferPlan,
  expectedToken: HandoffToken,
  offer: ReceivedOffer,
  nowMs: number,
): string | undefined {
  const { tokens, spent } = plan;
  if (!spent.has(expectedToken, nowMs)) {
    const registration = tokens.register(expectedToken, nowMs);
    if (!registration.ok) {
      const rejection: HandoffRejection = { kind: "TokenStore", detail: registration.error.detail };
      return handoffRejectionDetail(rejection);
    }
  }
  const handed = { expectedToken, presentedBytes: offer.token, connection: undefined };
  const acceptance = acceptHandedOff(tokens, handed, nowMs);
  if (acceptance.kind === "accepted") {
    spent.add(expectedToken, nowMs);
    return undefined;
  }
  tokens.revoke(expectedToken);
  return acceptance.errorDetail;
}

/** The descriptor goes first: when the broker hears of the refusal, nobody but itself holds the connection. */
function refuse(
  plan: AdoptOfferPlan,
  fd: number,
  offer: ReceivedOffer,
  reason: AdoptCloseReason,
  detail: string,
): AdoptOfferTurn {
  const { token, correlationId } = offer;
  const bytes = plan.encodeAck({ token, isAccepted: false, errorDetail: detail, correlationId });
  return {
    state: { phase: "ack", plan, verdict: { kind: "refuse", reason, detail } },
    steps: [
      { kind: "close-fd", fd },
      { kind: "write-ack", bytes, deadlineMs: plan.deadlineMs },
    ],
  };
}
