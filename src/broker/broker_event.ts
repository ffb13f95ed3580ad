// This module has no I/O.
import type { HandoffAttemptFailure } from "../handoff/fallback_reason.ts";
import type { RelayHandoffStage } from "../handoff/relay_plan.ts";
import type { PeerCredentials } from "../transport/local_stream.ts";
import type { ConnectionLimit } from "./limits/connection_limits.ts";

/**
 * Something that happened in a broker. Events never carry tokens or payload.
 *
 * Durations are microseconds of the broker's monotonic clock.
 */
export type BrokerEvent =
  | { readonly kind: "listening"; readonly endpoint: string }
  | { readonly kind: "peer-dropped"; readonly peer: PeerCredentials | undefined }
  | { readonly kind: "connection-failed"; readonly peer: PeerCredentials; readonly detail: string }
  | {
    readonly kind: "hello";
    readonly peer: PeerCredentials;
    /** Empty when the Hello could not be read. */
    readonly service: string;
    readonly version: string;
    /** "negotiated", or the words of the refusal. */
    readonly outcome: string;
    /** `ErrorCode` of the refusal; 0 when negotiated. */
    readonly code: number;
    readonly connectionId: bigint;
    readonly handoffAnnounced: boolean;
    readonly durationUs: number;
  }
  | { readonly kind: "admin"; readonly peer: PeerCredentials; readonly verb: number }
  | {
    readonly kind: "connection-passed";
    readonly connectionId: bigint;
    /** What was passed, for people: "fd 14". */
    readonly native: string;
    readonly handoffEndpoint: string;
    readonly durationUs: number;
  }
  | { readonly kind: "handoff-completed"; readonly connectionId: bigint; readonly durationUs: number }
  | {
    readonly kind: "handoff-fallback";
    readonly connectionId: bigint;
    readonly stage: RelayHandoffStage;
    /** What counts against the backend; `undefined` when it is not at fault. */
    readonly reason: HandoffAttemptFailure | undefined;
    readonly detail: string;
    readonly durationUs: number;
  }
  /** So many connections are being handed over, each on a dial of its own, that this client has to reconnect. */
  | {
    readonly kind: "handoff-limit";
    readonly service: string;
    readonly version: string;
    readonly handoffsPending: number;
  }
  /** Connections go to this backend without a dial each from now on, first requests with them. */
  | {
    readonly kind: "handoff-channel";
    readonly service: string;
    readonly version: string;
    readonly pid: number;
  }
  | {
    readonly kind: "handoff-channel-lost";
    readonly service: string;
    readonly version: string;
    readonly pid: number;
    readonly detail: string;
  }
  | {
    readonly kind: "connection-limit";
    readonly peer: PeerCredentials | undefined;
    readonly limit: ConnectionLimit;
    /** Whether it is read and its Hello refused; otherwise it was closed unread. */
    readonly isAnswered: boolean;
    readonly connectionsOpen: number;
  }
  /** Descriptors ran out, or there are enough again. */
  | { readonly kind: "fd-pressure"; readonly isDemoted: boolean; readonly detail: string }
  /** The broker stops; what is under way has so long to end. */
  | { readonly kind: "draining"; readonly connectionsOpen: number; readonly deadlineMs: number }
  | {
    readonly kind: "backend-rejected";
    readonly service: string;
    readonly version: string;
    readonly detail: string;
  }
  | {
    readonly kind: "backend-lost";
    readonly service: string;
    readonly version: string;
    readonly pid: number;
  }
  | {
    readonly kind: "backend-verified";
    readonly service: string;
    readonly version: string;
    readonly pid: number;
  }
  | {
    readonly kind: "backend-launched";
    readonly service: string;
    readonly version: string;
    readonly pid: number;
    readonly durationUs: number;
  }
  | {
    readonly kind: "backend-adopted";
    readonly service: string;
    readonly version: string;
    readonly pid: number;
  }
  | {
    readonly kind: "backend-record-stale";
    /** The file that has said where the backend is. */
    readonly record: string;
    /** Empty when the file could not be read. */
    readonly service: string;
    readonly version: string;
    readonly detail: string;
  }
  | {
    /** A later broker will not find this backend. */
    readonly kind: "backend-record-unwritten";
    readonly service: string;
    readonly version: string;
    readonly detail: string;
  }
  | {
    /** Nobody had asked for it, it had no connection, and it ends. */
    readonly kind: "backend-idle-ended";
    readonly service: string;
    readonly version: string;
    readonly pid: number;
    /** Milliseconds since the last Hello for it. */
    readonly idleMs: number;
  }
  | {
    /** It was idle and goes on; told once of each backend. */
    readonly kind: "backend-kept";
    readonly service: string;
    readonly version: string;
    readonly pid: number;
    readonly detail: string;
  }
  | {
    /** It has agreed to end and did not. */
    readonly kind: "backend-signalled";
    readonly service: string;
    readonly version: string;
    readonly pid: number;
    readonly signal: "SIGTERM" | "SIGKILL";
  }
  | {
    /** An order went to all backends. */
    readonly kind: "broadcast";
    readonly order: "ReleaseHandles" | "Quiesce";
    readonly acks: number;
    readonly timeouts: number;
    readonly failures: number;
    readonly skippedDead: number;
  }
  | {
    /** The lifecycle log cannot be written; told once. */
    readonly kind: "lifecycle-log-failed";
    readonly path: string;
    readonly detail: string;
  }
  | {
    readonly kind: "backend-launch-failed";
    readonly service: string;
    readonly version: string;
    readonly detail: string;
    readonly durationUs: number;
  };

/** Takes events as they happen; must not throw. */
export type BrokerObserver = (event: BrokerEvent) => void;
