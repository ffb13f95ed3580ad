// This module has no I/O.
import { FRAME_HEADER_BYTES, FRAMING_VERSION_V1, HANDOFF_TOKEN_BYTES } from "../wire/constants.ts";
import { decideAdoption, testAdoption } from "./adopt_decision.ts";
import { closeAdoption, endAcked } from "./adopt_ending.ts";
import { type AdoptCloseReason, type AdoptOfferPlan, OFFER_BODY_BYTES_MAX } from "./adopt_plan.ts";
import type { AdoptOfferEvent, AdoptOfferState, AdoptOfferStep, AdoptOfferTurn } from "./adopt_step.ts";
import { HandoffToken } from "./handoff_token.ts";
import { expectPart, extendPart, joinPart, type ReceivedPart } from "./received_part.ts";

/**
 * Starts reading a control connection whose peer was accepted.
 *
 * @param plan What the adoption needs to know.
 * @returns The first step: to read the token's raw bytes and the descriptor.
 */
export function startAdoptOffer(plan: AdoptOfferPlan): AdoptOfferTurn {
  return reading({ phase: "expect-fd-prefix", plan, part: expectPart(HANDOFF_TOKEN_BYTES), fd: undefined });
}

/**
 * Takes one event of a control connection with one offer in relay mode.
 *
 * Beyond the state it changes the plan's token store and spent tokens, once, when the offer is judged.
 *
 * @param state Where the adoption stands.
 * @param event What the driver saw.
 * @param nowMs The time, on the clock of the plan's deadline and stores.
 * @returns The new state and the steps to take, in order; none when the event changes nothing.
 */
export function nextAdoptStep(state: AdoptOfferState, event: AdoptOfferEvent, nowMs: number): AdoptOfferTurn {
  if (state.phase === "done") return { state, steps: strayFds(event) };
  const { plan } = state;
  if (event.kind === "deadline" && nowMs < plan.deadlineMs) return { state, steps: [] };
  switch (state.phase) {
    case "expect-fd-prefix":
    case "expect-header":
    case "expect-body": {
      if (event.kind === "received") return whileReading(state, event, nowMs);
      const end = endingOf(event);
      return end === undefined ? { state, steps: [] } : closeAdoption(held(state, event), ...end);
    }
    case "decide": {
      if (event.kind === "connection-readable" && nowMs < plan.deadlineMs) {
        return testAdoption(plan, state.fd, state.offer, event.state);
      }
      const end = event.kind === "connection-readable" ? TOO_LATE : endingOf(event);
      return end === undefined ? { state, steps: strayFds(event) } : closeAdoption([state.fd], ...end);
    }
    case "ack": {
      if (event.kind === "ack-written") return endAcked(state.verdict, undefined);
      // The end of the control connection says nothing about an ACK that is under way: its write will.
      const end = event.kind === "control-eof" ? undefined : endingOf(event);
      return end === undefined ? { state, steps: strayFds(event) } : endAcked(state.verdict, end);
    }
  }
}

type Reading = Extract<AdoptOfferState, { part: ReceivedPart }>;
type Received = Extract<AdoptOfferEvent, { kind: "received" }>;

function reading(state: Reading): AdoptOfferTurn {
  const { part, plan } = state;
  return { state, steps: [{ kind: "receive", bytesExact: part.missing, deadlineMs: plan.deadlineMs }] };
}

function whileReading(state: Reading, event: Received, nowMs: number): AdoptOfferTurn {
  const problem = problemOf(state, event, nowMs);
  if (problem !== undefined) return closeAdoption(held(state, event), ...problem);
  const part = extendPart(state.part, event.bytes);
  if (state.phase === "expect-fd-prefix") {
    const fd = state.fd ?? event.fds[0];
    if (part.missing > 0) return reading({ ...state, part, fd });
    const expectedToken = HandoffToken.fromBytes(joinPart(part));
    if (fd === undefined || expectedToken === undefined) {
      return closeAdoption([], "missing-fd", "no descriptor came with the token");
    }
    const { plan } = state;
    return reading({ phase: "expect-header", plan, part: expectPart(FRAME_HEADER_BYTES), fd, expectedToken });
  }
  if (part.missing > 0) return reading({ ...state, part });
  return state.phase === "expect-header"
    ? afterHeader(state, joinPart(part), nowMs)
    : decideAdoption(state.plan, state.fd, state.expectedToken, joinPart(part), nowMs);
}

function afterHeader(
  state: Exclude<Reading, { phase: "expect-fd-prefix" }>,
  header: Uint8Array,
  nowMs: number,
): AdoptOfferTurn {
  const { plan, fd, expectedToken } = state;
  const version = header[0];
  if (version !== FRAMING_VERSION_V1) {
    const detail = `framing version was ${version}; expected ${FRAMING_VERSION_V1}`;
    return closeAdoption([fd], "unsupported-framing", detail);
  }
  const bodyBytes = new DataView(header.buffer, header.byteOffset).getUint32(1, true);
  const bodyBytesMax = plan.offerBodyBytesMax ?? OFFER_BODY_BYTES_MAX;
  if (bodyBytes > bodyBytesMax) {
    return closeAdoption([fd], "offer-too-large", `offer of ${bodyBytes} bytes exceeds ${bodyBytesMax}`);
  }
  if (bodyBytes === 0) return decideAdoption(plan, fd, expectedToken, new Uint8Array(0), nowMs);
  return reading({ phase: "expect-body", plan, part: expectPart(bodyBytes), fd, expectedToken });
}

/** Whatever makes the bytes unfit: then every descriptor goes, and nothing is answered (model rules 9 and 23). */
function problemOf(state: Reading, event: Received, nowMs: number): Ending | undefined {
  if (event.isControlTruncated) return ["control-truncated", "the kernel dropped descriptors"];
  const isLate = state.phase !== "expect-fd-prefix" && event.fds.length > 0;
  const fds = held(state, event).length;
  if (isLate || fds > 1) return ["unexpected-fds", `${fds} descriptors came with one offer`];
  if (!(nowMs < state.plan.deadlineMs)) return TOO_LATE;
  if (event.bytes.length === 0) return HUNG_UP;
  if (event.bytes.length > state.part.missing) {
    return ["excess-bytes", `${event.bytes.length} bytes came; asked for ${state.part.missing}`];
  }
  return undefined;
}

type Ending = readonly [reason: AdoptCloseReason, detail: string];
const TOO_LATE: Ending = ["deadline", "no complete offer before the deadline"];
const HUNG_UP: Ending = ["control-eof", "the broker hung up"];

function endingOf(event: AdoptOfferEvent): Ending | undefined {
  switch (event.kind) {
    case "control-eof":
      return HUNG_UP;
    case "deadline":
      return TOO_LATE;
    case "peer-rejected":
      return ["peer-rejected", event.detail];
    case "aborted":
      return ["aborted", "the backend gave up"];
    case "ack-failed":
      return ["ack-failed", event.detail];
    default:
      return undefined;
  }
}

function held(state: Reading, event: AdoptOfferEvent): number[] {
  const own = state.fd === undefined ? [] : [state.fd];
  return event.kind === "received" ? [...own, ...event.fds] : own;
}

/** Descriptors nobody asked for are closed whenever they come. */
function strayFds(event: AdoptOfferEvent): AdoptOfferStep[] {
  return event.kind === "received" ? event.fds.map((fd) => ({ kind: "close-fd", fd })) : [];
}
