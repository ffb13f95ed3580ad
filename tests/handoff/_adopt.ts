import assert from "node:assert/strict";
import { planAdoptOffer } from "../../src/handoff/adopt_frames.ts";
import { nextAdoptStep, startAdoptOffer } from "../../src/handoff/adopt_offer.ts";
import type { AdoptOfferPlan, AdoptOutcome } from "../../src/handoff/adopt_plan.ts";
import type { AdoptOfferEvent, AdoptOfferStep, AdoptOfferTurn } from "../../src/handoff/adopt_step.ts";
import { SpentTokens } from "../../src/handoff/spent_tokens.ts";
import { encodeHandoffOffer } from "../../src/wire/handoff_frames.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { tokenBytesOf, tokenStore } from "./_support.ts";

export const DEADLINE_MS = 5000;
export const FD = 40;

/** A plan over stores of its own. */
export function adoptPlan(): AdoptOfferPlan {
  return planAdoptOffer({ tokens: tokenStore(), spent: new SpentTokens(), deadlineMs: DEADLINE_MS });
}

/** The wire bytes of an offer that is right but for the given fields. */
export function offerWire(fields: { token?: Uint8Array; residue?: Uint8Array } = {}): Uint8Array {
  const right = { token: tokenBytesOf(1), serviceName: "zccache", correlationId: 5n };
  return encodeHandoffOffer({ ...right, ...fields });
}

/** One recvmsg. */
export function received(bytes: Uint8Array, ...fds: number[]): AdoptOfferEvent {
  return { kind: "received", bytes, fds, isControlTruncated: false };
}

/** The three reads of one offer: token with descriptor, header, body. */
export function reads(
  wire: Uint8Array = offerWire(),
  prefix: Uint8Array = tokenBytesOf(1),
): AdoptOfferEvent[] {
  const header = wire.subarray(0, FRAME_HEADER_BYTES);
  return [received(prefix, FD), received(header), received(wire.subarray(FRAME_HEADER_BYTES))];
}

export const empty: AdoptOfferEvent = { kind: "connection-readable", state: "empty" };
export const readable: AdoptOfferEvent = { kind: "connection-readable", state: "readable" };
export const hungUp: AdoptOfferEvent = { kind: "connection-readable", state: "eof" };
export const ackWritten: AdoptOfferEvent = { kind: "ack-written" };
export const ackFailed: AdoptOfferEvent = { kind: "ack-failed", detail: "EPIPE" };
export const eof: AdoptOfferEvent = { kind: "control-eof" };
export const deadline: AdoptOfferEvent = { kind: "deadline" };
export const aborted: AdoptOfferEvent = { kind: "aborted" };
export const peerRejected: AdoptOfferEvent = { kind: "peer-rejected", detail: "uid 7" };

/** A step in one word. */
export function word(step: AdoptOfferStep): string {
  switch (step.kind) {
    case "receive":
      return `receive ${step.bytesExact}`;
    case "close-fd":
    case "serve":
      return `${step.kind} ${step.fd}`;
    case "done":
      return step.outcome.kind === "closed" ? step.outcome.reason : "adopted";
    default:
      return step.kind;
  }
}

export const words = (steps: readonly AdoptOfferStep[]): string => steps.map(word).join(", ");

/** Plays events, each at its time or at 0, and collects the steps of every turn. */
export function play(
  events: readonly (AdoptOfferEvent | [AdoptOfferEvent, number])[],
  plan: AdoptOfferPlan = adoptPlan(),
): { turn: AdoptOfferTurn; steps: AdoptOfferStep[] } {
  let turn = startAdoptOffer(plan);
  const steps = [...turn.steps];
  for (const entry of events) {
    const [event, nowMs] = Array.isArray(entry) ? entry : [entry, 0] as const;
    turn = nextAdoptStep(turn.state, event, nowMs);
    steps.push(...turn.steps);
  }
  return { turn, steps };
}

/** How a handoff ended; a failed test if it did not. */
export function outcomeOf(turn: AdoptOfferTurn): AdoptOutcome {
  assert.ok(turn.state.phase === "done", turn.state.phase);
  return turn.state.outcome;
}

/** The bytes of the one ACK that was to be written, if there was one. */
export function ackOf(steps: readonly AdoptOfferStep[]): Uint8Array | undefined {
  const acks = steps.flatMap((step) => step.kind === "write-ack" ? [step.bytes] : []);
  assert.ok(acks.length <= 1, "one ACK at most");
  return acks[0];
}
