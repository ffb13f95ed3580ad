// This module has no I/O.
import type { HandoffAttemptFailure } from "../handoff/fallback_reason.ts";
import type { RelayHandoffStage } from "../handoff/relay_plan.ts";
import type { PeerCredentials } from "../transport/local_stream.ts";

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
  | {
    readonly kind: "connection-limit";
    readonly peer: PeerCredentials | undefined;
    readonly connectionsOpen: number;
  }
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
    readonly kind: "backend-launch-failed";
    readonly service: string;
    readonly version: string;
    readonly detail: string;
    readonly durationUs: number;
  };

/** Takes events as they happen; must not throw. */
export type BrokerObserver = (event: BrokerEvent) => void;
