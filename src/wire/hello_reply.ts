// This module has no I/O.
import { envelopeText, validateEnvelope } from "./envelope.ts";
import { errorCodeName, knownErrorCode } from "./error_code.ts";
import {
  type ErrorCode,
  FrameKind,
  FrameSchema,
  HelloReplySchema,
  type Negotiated,
} from "./gen/broker_v1_envelope_pb.ts";
import { CONTROL_PAYLOAD_PROTOCOL } from "./payload_protocol.ts";
import { tryDecodeStrict } from "./strict_decode.ts";
import { WireDecodeError } from "./wire_decode_error.ts";

/** The reference's names for a reply that is no HelloReply. */
export type HelloReplyFailureKind =
  | "DecodeFrame"
  | "UnexpectedResponseFrame"
  | "DecodeHelloReply"
  | "MissingHelloReplyResult";

/** What the broker said (protocol 5.3, S5 to S8). */
export type HelloReplyOutcome =
  | { readonly kind: "negotiated"; readonly negotiated: Negotiated }
  | {
    readonly kind: "refused";
    /** A number this version does not know is `ERROR_CODE_UNSPECIFIED`. */
    readonly code: ErrorCode;
    readonly reason: string;
    /** 0: no hint. */
    readonly retryAfterMs: bigint;
  }
  | {
    readonly kind: "failed";
    readonly failure: HelloReplyFailureKind;
    /** What was wrong in itself, for example `kind is not RESPONSE`. */
    readonly cause: string;
    /** The reference's text for it. */
    readonly detail: string;
  };

/**
 * Decodes the broker's answer to a Hello. Its request id is not compared: a refusal of bytes that
 * were no frame has request id 0.
 *
 * @param body The answering frame's body.
 * @returns What the broker said, or why it said nothing.
 */
export function decodeHelloReply(body: Uint8Array): HelloReplyOutcome {
  const frame = tryDecodeStrict(FrameSchema, body);
  if (frame instanceof WireDecodeError) return failed("DecodeFrame", frame.detail);
  const expected = { kind: FrameKind.RESPONSE, payloadProtocol: CONTROL_PAYLOAD_PROTOCOL };
  const error = validateEnvelope(frame, expected);
  if (error !== undefined) return failed("UnexpectedResponseFrame", envelopeText(error, "control-plane"));
  const reply = tryDecodeStrict(HelloReplySchema, frame.payload);
  if (reply instanceof WireDecodeError) return failed("DecodeHelloReply", reply.detail);
  switch (reply.result.case) {
    case "negotiated":
      return { kind: "negotiated", negotiated: reply.result.value };
    case "refused": {
      const { code, reason, retryAfterMs } = reply.result.value;
      return { kind: "refused", code: knownErrorCode(code), reason, retryAfterMs };
    }
    default:
      return failed("MissingHelloReplyResult", "");
  }
}

const DETAILS: Readonly<Record<HelloReplyFailureKind, string>> = {
  DecodeFrame: "failed to decode broker response Frame: ",
  UnexpectedResponseFrame: "unexpected broker response frame: ",
  DecodeHelloReply: "failed to decode broker HelloReply: ",
  MissingHelloReplyResult: "broker HelloReply did not contain a result",
};

function failed(failure: HelloReplyFailureKind, cause: string): HelloReplyOutcome {
  return { kind: "failed", failure, cause, detail: DETAILS[failure] + cause };
}

/** A refusal in the reference's words. */
export function refusalText(refused: { code: ErrorCode; reason: string; retryAfterMs: bigint }): string {
  const { code, reason, retryAfterMs } = refused;
  return `broker refused Hello: ${reason} (${errorCodeName(code)}, retry_after_ms=${retryAfterMs})`;
}
