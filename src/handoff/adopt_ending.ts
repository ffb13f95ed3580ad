// This module has no I/O.
import type { AdoptCloseReason, AdoptOutcome } from "./adopt_plan.ts";
import type { AdoptOfferStep, AdoptOfferTurn, AdoptVerdict } from "./adopt_step.ts";

/**
 * Ends without an answer: nothing is served, and the broker learns it from the end of the connections.
 *
 * @param fds Every descriptor that is held.
 * @param reason Why.
 * @param detail What was seen.
 * @returns The last turn.
 */
export function closeAdoption(
  fds: readonly number[],
  reason: AdoptCloseReason,
  detail: string,
): AdoptOfferTurn {
  return end(fds.map((fd) => ({ kind: "close-fd", fd })), {
    kind: "closed",
    reason,
    detail,
    isAckWritten: false,
  });
}

/**
 * Ends after an attempt to write the ACK. In relay mode an ACK that did not leave ends the session before
 * it starts, because the broker will never write the ready event (model rule 8).
 *
 * @param verdict What the ACK says.
 * @param failure Why it did not leave, if it did not.
 * @returns The last turn.
 */
export function endAcked(
  verdict: AdoptVerdict,
  failure: readonly [reason: AdoptCloseReason, detail: string] | undefined,
): AdoptOfferTurn {
  if (verdict.kind === "refuse") {
    const { reason, detail } = verdict;
    return end([], { kind: "closed", reason, detail, isAckWritten: failure === undefined });
  }
  const { fd, offer, channelId } = verdict;
  if (failure !== undefined) return closeAdoption([fd], ...failure);
  return end([{ kind: "serve", fd, offer }], { kind: "adopted", fd, offer, channelId });
}

function end(first: readonly AdoptOfferStep[], outcome: AdoptOutcome): AdoptOfferTurn {
  const channelId = outcome.kind === "adopted" ? outcome.channelId : undefined;
  const last: AdoptOfferStep = channelId === undefined
    ? { kind: "close-control" }
    : { kind: "keep-control", channelId };
  return { state: { phase: "done", outcome }, steps: [...first, last, { kind: "done", outcome }] };
}
