// This module has no I/O.
import type { HandoffAttemptFailure } from "./fallback_reason.ts";
import type { RelayHandoffFallback, RelayHandoffOutcome, RelayHandoffStage } from "./relay_plan.ts";
import type { AcceptedAck, RelayHandoffStep, RelayHandoffTurn } from "./relay_step.ts";

/**
 * Ends with the client adopted: the broker only closes its copy, which the backend's session survives.
 *
 * @param first What to do before closing.
 * @param ack The backend's answer.
 * @returns The last turn.
 */
export function endHandedOff(first: readonly RelayHandoffStep[], ack: AcceptedAck): RelayHandoffTurn {
  const { isReadyRelayed, channelId } = ack;
  const outcome = { kind: "handed-off", isReadyRelayed, channelId } as const;
  const steps: RelayHandoffStep[] = [
    ...first,
    { kind: "close-connection", how: "close" },
    channelId === undefined ? { kind: "close-control" } : { kind: "keep-control", channelId },
    { kind: "done", outcome },
  ];
  return { state: { phase: "done", outcome }, steps };
}

/** What is known where a relay-mode handoff fails. */
export interface RelayEnding {
  /** What was seen. */

  readonly detail: string;
  /** There is a control connection, or a dial, to close. */
  readonly hasControl: boolean;
  /** The backend may have received the descriptor. */
  readonly fdReachedBackend: boolean;
  /** What to count against the backend. */
  readonly failure?: HandoffAttemptFailure | undefined;
  /** Who may still use the connection, where `fdReachedBackend` does not say it. */
  readonly owner?: RelayHandoffFallback["owner"];
  /** The token was settled by the ACK already. */
  readonly isSettled?: boolean;
  /** The ready event may be on its way to the client, from the broker or from the backend. */
  readonly isReadyPossible?: boolean;
}

/**
 * Ends without the ready event. Cutting the connection tells the client at once, and ends a late session.
 *
 * @param stage The part that failed.
 * @param ending What is known there.
 * @returns The last turn.
 */
export function endInFallback(stage: RelayHandoffStage, ending: RelayEnding): RelayHandoffTurn {
  const { detail, fdReachedBackend, failure } = ending;
  const owner = ending.owner ?? (fdReachedBackend ? "backend" : "broker");
  const outcome: RelayHandoffOutcome = { kind: "fallback", stage, failure, fdReachedBackend, owner, detail };
  // Once the ready event may be out, a shutdown would cut a client that was adopted.
  const isCutSafe = ending.isReadyPossible !== true;
  const steps: RelayHandoffStep[] = [
    { kind: "close-connection", how: isCutSafe ? "shutdown-then-close" : "close" },
    ...(ending.hasControl ? [{ kind: "close-control" } as const] : []),
    ...(ending.isSettled === true ? [] : [{ kind: "settle-token", how: "abandon" } as const]),
    { kind: "log", detail: `handoff fallback: ${detail}` },
    { kind: "done", outcome },
  ];
  return { state: { phase: "done", outcome }, steps };
}
