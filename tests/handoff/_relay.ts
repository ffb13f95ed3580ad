import { encodeHandoffAck } from "../../src/wire/handoff_frames.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { planRelayHandoff, type RelayHandoffRequest } from "../../src/handoff/relay_frames.ts";
import { nextHandoffStep, startRelayHandoff } from "../../src/handoff/relay_handoff.ts";
import type { RelayHandoffPlan } from "../../src/handoff/relay_plan.ts";
import type { RelayHandoffEvent, RelayHandoffStep, RelayHandoffTurn } from "../../src/handoff/relay_step.ts";
import { tokenBytesOf, tokenOf } from "./_support.ts";

export const START_MS = 1000;
export const ACK_DEADLINE_MS = 6000;

export const request: RelayHandoffRequest = {
  token: tokenOf(1),
  correlationId: 5n,
  serviceName: "zccache",
  ackDeadlineMs: ACK_DEADLINE_MS,
  residueBytes: 0,
  isEarlyDataAnnounced: false,
  keepsControlOpen: false,
};

export const plan: RelayHandoffPlan = planRelayHandoff(request);

interface AckFields {
  token?: Uint8Array;
  accepted?: boolean;
  correlationId?: bigint;
  readyRelayed?: boolean;
  errorDetail?: string;
}

/** The body of an ACK frame that matches the plan but for the given fields. */
export function ackBody(fields: AckFields = {}): Uint8Array {
  const ack = { token: tokenBytesOf(1), accepted: true, correlationId: 5n, ...fields };
  return encodeHandoffAck(ack).subarray(FRAME_HEADER_BYTES);
}

/** An event with the ACK of {@linkcode ackBody}. */
export function ackFrame(fields: AckFields = {}): RelayHandoffEvent {
  return { kind: "ack-frame", body: ackBody(fields) };
}

export const dialed: RelayHandoffEvent = { kind: "dialed" };
export const sent: RelayHandoffEvent = { kind: "sent" };
export const eof: RelayHandoffEvent = { kind: "control-eof" };
export const deadline: RelayHandoffEvent = { kind: "deadline" };
export const aborted: RelayHandoffEvent = { kind: "aborted" };
export const readyWritten: RelayHandoffEvent = { kind: "ready-written" };
export const readyFailed: RelayHandoffEvent = { kind: "ready-failed", detail: "EPIPE" };
export const dialFailed: RelayHandoffEvent = {
  kind: "dial-failed",
  failure: "BackendAckTimeout",
  detail: "ECONNREFUSED",
};

/** The event of a send of which this many bytes left. */
export function sendFailed(bytesSent: number): RelayHandoffEvent {
  return { kind: "send-failed", bytesSent, failure: "BackendAckTimeout", detail: "EPIPE" };
}

/** A step in one word, where the rest of it does not matter. */
export function word(step: RelayHandoffStep): string {
  switch (step.kind) {
    case "settle-token":
      return step.how;
    case "close-connection":
      return step.how === "close" ? "close A" : "cut A";
    case "close-control":
      return "close B";
    case "done":
      return step.outcome.kind;
    default:
      return step.kind;
  }
}

/** All steps in words, the log left out. */
export function words(steps: readonly RelayHandoffStep[]): string {
  return steps.filter(({ kind }) => kind !== "log").map(word).join(", ");
}

/** Plays events, each at its time or at the start, and collects the steps of every turn. */
export function play(
  events: readonly (RelayHandoffEvent | [RelayHandoffEvent, number])[],
  withPlan: RelayHandoffPlan = plan,
): { turn: RelayHandoffTurn; steps: RelayHandoffStep[] } {
  let turn = startRelayHandoff(withPlan, START_MS);
  const steps = [...turn.steps];
  for (const entry of events) {
    const [event, nowMs] = Array.isArray(entry) ? entry : [entry, START_MS] as const;
    turn = nextHandoffStep(turn.state, event, nowMs);
    steps.push(...turn.steps);
  }
  return { turn, steps };
}
