// This module has no I/O.
import type { CancelSignal } from "../../cancel_signal.ts";
import type { BackendOrder } from "../../wire/backend_order.ts";
import type { BackendKey, RegisteredBackend } from "../backend_registry.ts";
import { errorDetail } from "../error_detail.ts";
import { ORDER_DEADLINE_MS_DEFAULT, type OrderOutcome, type SendOrder } from "./order_outcome.ts";

/** Why an order had no effect; the words of the reference (protocol 6.14). */
export type BroadcastFailureReason =
  /** The backend is of another make. */
  | "UnsupportedOperation"
  /** It has declined. */
  | "Rejected"
  /** It could not be reached, or is another process. */
  | "BackendError";

/** What became of an order that went to all live backends. */
export interface BroadcastReport {
  /** The order. */
  readonly order: BackendOrder;
  /** Backends that have carried it out; those told to end may have connections to finish. */
  readonly acks: readonly { readonly backend: BackendKey; readonly connectionsOpen: number }[];
  /** Backends that did not answer in time. */
  readonly timeouts: readonly { readonly backend: BackendKey; readonly deadlineMs: number }[];
  /** Backends that did not carry it out. */
  readonly failures: readonly {
    readonly backend: BackendKey;
    readonly reason: BroadcastFailureReason;
    readonly detail: string;
  }[];
  /** Backends whose process has ended; nothing was sent. */
  readonly skippedDead: readonly BackendKey[];
}

/** How long a broadcast may take. */
export interface BroadcastOptions {
  /** Milliseconds that each backend has to answer, at least 1. @default {5000} */
  readonly ackDeadlineMs?: number | undefined;
  /** Ends the broadcast; the promise rejects with its reason. What was sent by then is not taken back. */
  readonly signal?: CancelSignal | undefined;
}

/** What a broadcast needs. */
export interface BroadcastParts {
  /** The backends, dead ones included. */
  readonly backends: readonly RegisteredBackend[];
  /** Whether a backend's process still runs. */
  readonly isAlive: (backend: RegisteredBackend) => boolean;
  /** Gives one of them an order. */
  readonly send: SendOrder;
}

/** Gives an order to all live backends at once; what goes wrong with one is nothing to the others (protocol 6.14). */
export async function broadcastOrder(
  { backends, isAlive, send }: BroadcastParts,
  order: BackendOrder,
  { ackDeadlineMs = ORDER_DEADLINE_MS_DEFAULT, signal }: BroadcastOptions = {},
): Promise<BroadcastReport> {
  signal?.throwIfAborted();
  const deadlineMs = Math.max(1, ackDeadlineMs);
  const live = backends.filter(isAlive);
  const outcomes = await Promise.all(live.map(async (backend): Promise<OrderOutcome> => {
    try {
      return await send(backend, order, { deadlineMs, signal });
    } catch (error) {
      signal?.throwIfAborted();
      return { kind: "failed", detail: errorDetail(error) };
    }
  }));
  return {
    order,
    ...sorted(live.map(({ key }, index) => ({ backend: key, outcome: outcomes[index]! })), deadlineMs),
    skippedDead: backends.filter((backend) => !live.includes(backend)).map(({ key }) => key),
  };
}

/** The report of a broker that has no backends. */
export function emptyBroadcast(order: BackendOrder): BroadcastReport {
  return { order, acks: [], timeouts: [], failures: [], skippedDead: [] };
}

function sorted(results: readonly { backend: BackendKey; outcome: OrderOutcome }[], deadlineMs: number) {
  const acks: BroadcastReport["acks"][number][] = [];
  const timeouts: BroadcastReport["timeouts"][number][] = [];
  const failures: BroadcastReport["failures"][number][] = [];
  for (const { backend, outcome } of results) {
    const failed = (reason: BroadcastFailureReason, detail: string) =>
      failures.push({ backend, reason, detail });
    switch (outcome.kind) {
      case "answered": {
        const { accepted, connectionsOpen, detail } = outcome.answer;
        if (accepted) acks.push({ backend, connectionsOpen });
        else failed("Rejected", detail);
        break;
      }
      case "timeout":
        timeouts.push({ backend, deadlineMs });
        break;
      case "not-understood":
        failed("UnsupportedOperation", outcome.detail);
        break;
      case "unreachable":
      case "failed":
        failed("BackendError", outcome.detail);
    }
  }
  return { acks, timeouts, failures };
}
