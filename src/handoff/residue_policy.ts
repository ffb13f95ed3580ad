// This module has no I/O.

/** What is known about the client's bytes behind its Hello, and about who would get them. */
export interface ResidueInputs {
  /** Who writes the ready event: the broker, or the backend itself. */
  readonly mode: "relay" | "direct-ready";
  /** Bytes behind the Hello that the broker has already read. */
  readonly residueBytes: number;
  /** The Hello announces a first request sent along with it. */
  readonly isEarlyDataAnnounced: boolean;
  /** An ACK on this very control connection has honoured direct ready and residue. */
  readonly isBackendKnownToTakeResidue: boolean;
}

/** Whether a connection may be offered; without an offer the client reconnects. */
export type ResidueDecision = { readonly kind: "offer" } | {
  readonly kind: "no-offer";
  readonly detail: string;
};

/**
 * Decides whether bytes behind the Hello forbid a handoff (model rules 2 and 3).
 *
 * A backend that is not known to take residue would serve the connection without its first bytes, and
 * one that answers early bytes before the broker's ready event would make the client run them twice.
 *
 * @param inputs What is known.
 * @returns Whether to offer.
 */
export function decideResidue(inputs: ResidueInputs): ResidueDecision {
  const { mode, residueBytes, isEarlyDataAnnounced, isBackendKnownToTakeResidue } = inputs;
  if (residueBytes > 0 && !isEarlyDataAnnounced) {
    return { kind: "no-offer", detail: `${residueBytes} bytes behind the Hello were not announced` };
  }
  if (!isEarlyDataAnnounced) return { kind: "offer" };
  if (mode === "relay") return { kind: "no-offer", detail: "early data is not handed off in relay mode" };
  if (isBackendKnownToTakeResidue) return { kind: "offer" };
  return { kind: "no-offer", detail: "the backend is not known to take early data" };
}
