// This module has no I/O.
import { DEFAULT_ZERO_PROGRESS_RETRIES_MAX, READY_WRITE_MS, type RelayHandoffPlan } from "./relay_plan.ts";
import { endHandedOff, endInFallback } from "./relay_ending.ts";
import type { AcceptedAck, RelayHandoffEvent, RelayHandoffState, RelayHandoffTurn } from "./relay_step.ts";
import { decideResidue } from "./residue_policy.ts";

/**
 * Starts the handoff of a connection whose HelloReply was written and which is not read any more.
 *
 * @param plan What the handoff needs to know; its buffers must not change until it is done.
 * @param nowMs The time, on the clock of the plan's deadline.
 * @returns The first step: a dial, or the end when the connection must not be handed off.
 */
export function startRelayHandoff(plan: RelayHandoffPlan, nowMs: number): RelayHandoffTurn {
  const { residueBytes, isEarlyDataAnnounced, ackDeadlineMs } = plan;
  const residue = decideResidue({
    mode: "relay",
    residueBytes,
    isEarlyDataAnnounced,
    isBackendKnownToTakeResidue: false,
  });
  const ending = { hasControl: false, fdReachedBackend: false };
  if (residue.kind === "no-offer") return endInFallback("Plan", { ...ending, detail: residue.detail });
  if (!(nowMs < ackDeadlineMs)) {
    return endInFallback("Plan", { ...ending, detail: "no time is left for an ACK" });
  }
  return dial(plan, 0);
}

/**
 * Takes one event of a relay-mode handoff.
 *
 * @param state Where the handoff stands.
 * @param event What the driver saw.
 * @param nowMs The time, on the clock of the plan's deadline.
 * @returns The new state and the steps to take, in order; none when the event changes nothing.
 */
export function nextHandoffStep(
  state: RelayHandoffState,
  event: RelayHandoffEvent,
  nowMs: number,
): RelayHandoffTurn {
  switch (state.phase) {
    case "dialing":
      return whileDialing(state, event, nowMs);
    case "sending":
      return whileSending(state, event, nowMs);
    case "await-ack":
      return whileAwaitingAck(state, event, nowMs);
    case "relay-ready":
      return whileRelayingReady(state, event, nowMs);
    case "done":
      return { state, steps: [] };
  }
}

type Dialing = Extract<RelayHandoffState, { retries: number }>;
type AwaitingAck = Extract<RelayHandoffState, { phase: "await-ack" }>;
type RelayingReady = Extract<RelayHandoffState, { phase: "relay-ready" }>;

function dial(plan: RelayHandoffPlan, retries: number): RelayHandoffTurn {
  const { ackDeadlineMs: deadlineMs } = plan;
  return { state: { phase: "dialing", plan, retries }, steps: [{ kind: "dial", deadlineMs }] };
}

function whileDialing(state: Dialing, event: RelayHandoffEvent, nowMs: number): RelayHandoffTurn {
  const { plan, retries } = state;
  const { token, offerBytes, ackDeadlineMs: deadlineMs } = plan;
  const ending = { hasControl: true, fdReachedBackend: false };
  switch (event.kind) {
    case "dial-failed":
      return endInFallback("Dial", {
        ...ending,
        hasControl: false,
        failure: event.failure,
        detail: event.detail,
      });
    case "aborted":
      return endInFallback("Dial", { ...ending, detail: "the broker gave up" });
    case "dialed":
    case "deadline": {
      if (!(nowMs < deadlineMs)) {
        const detail = "no control connection before the ACK deadline";
        return endInFallback("Dial", { ...ending, failure: "BackendAckTimeout", detail });
      }
      if (event.kind === "deadline") return { state, steps: [] };
      const tokenBytes = token.toBytes();
      const send = { kind: "send-fd-and-offer", tokenBytes, offerBytes, deadlineMs } as const;
      return { state: { phase: "sending", plan, retries }, steps: [send] };
    }
    default:
      return { state, steps: [] };
  }
}

function whileSending(state: Dialing, event: RelayHandoffEvent, nowMs: number): RelayHandoffTurn {
  const { plan, retries } = state;
  switch (event.kind) {
    case "sent":
      if (!(nowMs < plan.ackDeadlineMs)) return whileAwaitingAck({ phase: "await-ack", plan }, DUE, nowMs);
      return {
        state: { phase: "await-ack", plan },
        steps: [{ kind: "await-ack", deadlineMs: plan.ackDeadlineMs }],
      };
    case "send-failed": {
      const { bytesSent, failure, detail } = event;
      const retriesMax = plan.zeroProgressRetriesMax ?? DEFAULT_ZERO_PROGRESS_RETRIES_MAX;
      const isTransient = failure === "BackendAckTimeout";
      // Only an offer of which no byte left may be made again: any byte may have carried the descriptor.
      if (bytesSent === 0 && isTransient && retries < retriesMax && nowMs < plan.ackDeadlineMs) {
        const again = dial(plan, retries + 1);
        return { state: again.state, steps: [{ kind: "close-control" }, ...again.steps] };
      }
      return endInFallback("Send", { hasControl: true, fdReachedBackend: bytesSent !== 0, failure, detail });
    }
    // An answer shows that the whole offer arrived, however late the write's own end is reported.
    case "ack-frame":
    case "control-eof":
      return whileAwaitingAck({ phase: "await-ack", plan }, event, nowMs);
    case "deadline":
    case "aborted": {
      if (event.kind === "deadline" && nowMs < plan.ackDeadlineMs) return { state, steps: [] };
      const isDue = event.kind === "deadline";
      return endInFallback("Send", {
        hasControl: true,
        fdReachedBackend: true, // how much left is not known
        failure: isDue ? "BackendAckTimeout" : undefined,
        detail: isDue ? "the offer did not leave before the ACK deadline" : "the broker gave up",
      });
    }
    default:
      return { state, steps: [] };
  }
}

function whileAwaitingAck(state: AwaitingAck, event: RelayHandoffEvent, nowMs: number): RelayHandoffTurn {
  const { plan } = state;
  const ending = { hasControl: true, fdReachedBackend: true, failure: "BackendAckTimeout" } as const;
  switch (event.kind) {
    case "ack-frame": {
      const ack = plan.readAck(event.body);
      if (ack.kind !== "accepted") {
        const owner = ack.kind === "rejected" ? "broker" : "backend";
        return endInFallback("AwaitAck", { ...ending, owner, detail: ack.detail });
      }
      if (!(nowMs < plan.ackDeadlineMs)) {
        return endInFallback("AwaitAck", {
          ...ending,
          detail: "the ACK came after its deadline",
          isReadyPossible: ack.isReadyRelayed,
        });
      }
      if (ack.isReadyRelayed) return endHandedOff([{ kind: "settle-token", how: "acknowledge" }], ack);
      return writeReady(plan, ack, nowMs);
    }
    case "control-eof":
      return endInFallback("AwaitAck", {
        ...ending,
        detail: event.detail ?? "the backend hung up before its ACK",
      });
    case "deadline":
      if (nowMs < plan.ackDeadlineMs) return { state, steps: [] };
      return endInFallback("AwaitAck", { ...ending, detail: "no ACK before its deadline" });
    case "aborted":
      return endInFallback("AwaitAck", { ...ending, failure: undefined, detail: "the broker gave up" });
    default:
      return { state, steps: [] };
  }
}

function whileRelayingReady(state: RelayingReady, event: RelayHandoffEvent, nowMs: number): RelayHandoffTurn {
  const ending = { hasControl: true, fdReachedBackend: true, isSettled: true } as const;
  switch (event.kind) {
    case "ready-written":
      return endHandedOff([], state.ack);
    case "ready-failed":
      return endInFallback("Relay", { ...ending, detail: event.detail });
    case "deadline":
      if (nowMs < state.readyDeadlineMs) return { state, steps: [] };
      return endInFallback("Relay", {
        ...ending,
        isReadyPossible: true,
        detail: "the ready event did not leave in time",
      });
    case "aborted":
      return endInFallback("Relay", { ...ending, isReadyPossible: true, detail: "the broker gave up" });
    default: // late and repeated ACKs, and the backend's hang-up after its ACK, mean nothing any more
      return { state, steps: [] };
  }
}

const DUE: RelayHandoffEvent = { kind: "deadline" };

function writeReady(plan: RelayHandoffPlan, ack: AcceptedAck, nowMs: number): RelayHandoffTurn {
  const readyDeadlineMs = nowMs + READY_WRITE_MS;
  return {
    state: { phase: "relay-ready", plan, ack, readyDeadlineMs },
    steps: [
      { kind: "settle-token", how: "acknowledge" },
      { kind: "write-ready", bytes: plan.readyBytes, deadlineMs: readyDeadlineMs },
    ],
  };
}
