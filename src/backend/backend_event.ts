// This module has no I/O.
import type { AdoptCloseReason } from "../handoff/adopt_plan.ts";
import type { QuiesceReason } from "../wire/backend_order.ts";

/** Something that happened in a backend. Events never carry tokens or payload. */
export type BackendEvent =
  | { readonly kind: "listening"; readonly endpoint: string; readonly purpose: "connections" | "handoffs" }
  | { readonly kind: "no-handoffs"; readonly detail: string }
  | { readonly kind: "probe-answered" }
  /** A broker has ordered something; `detail` says why it was not carried out. */
  | {
    readonly kind: "order";
    readonly order: "ReleaseHandles" | "Quiesce";
    readonly accepted: boolean;
    readonly detail: string;
  }
  /** It accepts nothing more, and ends when its connections are over. */
  | { readonly kind: "quiesced"; readonly reason: QuiesceReason }
  | { readonly kind: "connection"; readonly origin: "endpoint" | "handoff" }
  | { readonly kind: "connection-unused"; readonly origin: "endpoint" | "handoff"; readonly detail: string }
  | {
    readonly kind: "adopted";
    readonly correlationId: bigint;
    /** What was received, for people: "fd 14". */
    readonly native: string;
    /** Microseconds from accepting the broker's connection to the ACK being written. */
    readonly durationUs: number;
  }
  | { readonly kind: "handoff-refused"; readonly reason: AdoptCloseReason; readonly detail: string };

/** Takes events as they happen; must not throw. */
export type BackendObserver = (event: BackendEvent) => void;
