import { ErrorCode } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { ECHOED } from "./hostile_frames.ts";

/** What a reply has to echo. */
export interface Echo {
  readonly requestId: bigint;
  readonly traceparent: string;
  readonly tracestate: string;
}

/** What the broker owes a client, by protocol 6.4, 6.6, 6.8 and 6.11. After every answer it closes. */
export type HostileAnswer =
  | {
    readonly kind: "refused";
    readonly code: ErrorCode;
    readonly reason: string;
    readonly retryAfterMs: bigint;
    readonly echo: Echo;
  }
  | { readonly kind: "negotiated"; readonly echo: Echo }
  | { readonly kind: "admin"; readonly exitCode: number; readonly echo: Echo }
  /** Not a byte. */
  | { readonly kind: "closed" }
  /** The client has left and hears nothing. */
  | { readonly kind: "unheard" };

/** One way to treat a broker, and what has to come of it. */
export interface HostileKind {
  readonly name: string;
  /** The client's bytes, one write each. */
  readonly writes: readonly Uint8Array[];
  /** What it does behind them: listens, ends its own direction and listens, or is gone at once. */
  readonly then: "listen" | "half-close" | "leave";
  readonly answer: HostileAnswer;
}

/** For bytes that were no frame. */
export const NO_ECHO: Echo = { requestId: 0n, traceparent: "", tracestate: "" };

/** A refusal in the protocol's words. */
export function refused(code: ErrorCode, reason: string, echo: Echo, retryAfterMs = 0n): HostileAnswer {
  return { kind: "refused", code, reason, retryAfterMs, echo };
}

/** A refusal of code 6, which most are. */
export function rejected(reason: string, echo: Echo = ECHOED): HostileAnswer {
  return refused(ErrorCode.ERROR_PEER_REJECTED, reason, echo);
}

/** Nothing, and the end. */
export const CLOSED: HostileAnswer = { kind: "closed" };
/** Nobody is left to hear it. */
export const UNHEARD: HostileAnswer = { kind: "unheard" };

/** One way to treat a broker; the client listens unless told otherwise. */
export function kind(
  name: string,
  bytes: Uint8Array | readonly Uint8Array[],
  answer: HostileAnswer,
  then: HostileKind["then"] = "listen",
): HostileKind {
  return { name, writes: bytes instanceof Uint8Array ? [bytes] : bytes, answer, then };
}
