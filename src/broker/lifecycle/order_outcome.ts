// This module has no I/O.
import type { CancelSignal } from "../../cancel_signal.ts";
import type { BackendOrder, OrderAnswer } from "../../wire/backend_order.ts";
import type { RegisteredBackend } from "../backend_registry.ts";

/** Milliseconds a backend has to answer an order (protocol 6.14). */
export const ORDER_DEADLINE_MS_DEFAULT = 5_000;

/** What became of an order. */
export type OrderOutcome =
  | { readonly kind: "answered"; readonly answer: OrderAnswer }
  /** Nothing came in time: nothing is known. */
  | { readonly kind: "timeout" }
  /** Nobody serves the backend's endpoint. */
  | { readonly kind: "unreachable"; readonly detail: string }
  /** The backend hung up, or said something else: it knows no orders. */
  | { readonly kind: "not-understood"; readonly detail: string }
  /** It could not be sent, or another process serves the endpoint. */
  | { readonly kind: "failed"; readonly detail: string };

/** How long an order may take. */
export interface OrderWait {
  /** Milliseconds for the whole exchange. */
  readonly deadlineMs: number;
  /** Ends the wait; the promise then rejects with its reason. */
  readonly signal?: CancelSignal | undefined;
}

/** Gives one backend an order. Rejects only with the reason of its signal. */
export type SendOrder = (
  backend: RegisteredBackend,
  order: BackendOrder,
  wait: OrderWait,
) => Promise<OrderOutcome>;
