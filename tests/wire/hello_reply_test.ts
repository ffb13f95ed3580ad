import assert from "node:assert/strict";
import test from "node:test";
import { errorCodeName, knownErrorCode, refusalKind } from "../../src/wire/error_code.ts";
import { createFirstFrameReader } from "../../src/wire/first_frame_reader.ts";
import type { ErrorCode } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeNegotiatedReply } from "../../src/wire/hello.ts";
import { decodeHelloReply, refusalText } from "../../src/wire/hello_reply.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { fromHex } from "../support/golden.ts";
import { checkVectors } from "./golden_vectors.ts";

interface ClientVector {
  id: string;
  reply_wire: string;
  error: string;
  message: string;
  code: number | null;
  refusal_kind: string | null;
}

type Seen = Pick<ClientVector, "error" | "message" | "code" | "refusal_kind">;

/** What a client that got these bytes would report, as far as it depends on the bytes alone. */
function clientError(wire: Uint8Array): Seen {
  const none = { code: null, refusal_kind: null };
  const reader = createFirstFrameReader();
  const step = reader.push(wire);
  if (step.kind !== "frame") {
    const error = step.kind === "error" ? step.error : reader.endOfStream();
    return { error: "Framing", message: error.detail, ...none };
  }
  const outcome = decodeHelloReply(step.body);
  switch (outcome.kind) {
    case "negotiated":
      return {
        error: outcome.negotiated.backendPipe === "" ? "EmptyBackendPipe" : "Negotiated",
        message: "",
        ...none,
      };
    case "failed":
      return { error: outcome.failure, message: outcome.detail, ...none };
    case "refused": {
      const kind = refusalKind(outcome.code);
      const refusal_kind = kind === "Other" ? `Other(${errorCodeName(outcome.code)})` : kind;
      return { error: "Refused", message: refusalText(outcome), code: outcome.code, refusal_kind };
    }
  }
}

checkVectors<ClientVector>("client", "decodeHelloReply() reports as the reference", (vector) => {
  const { error, message, code, refusal_kind } = vector;
  const seen = clientError(fromHex(vector.reply_wire));
  // These two come about when the client dials what was negotiated.
  if (error === "BackendConnect") return assert.equal(seen.error, "Negotiated");
  if (error === "EmptyBackendPipe") return assert.equal(seen.error, error);
  assert.deepEqual(seen, { error, message, code, refusal_kind });
});

test("decodeHelloReply() hands the negotiated fields over and ignores the request id", () => {
  const echo = { requestId: 77n, traceparent: "", tracestate: "" };
  const token = new Uint8Array(16).fill(3);
  const wire = encodeNegotiatedReply(echo, { backendPipe: "/b", handlePassedToken: token, connectionId: 5n });
  const outcome = decodeHelloReply(wire.subarray(5));
  assert.ok(outcome.kind === "negotiated");
  assert.equal(outcome.negotiated.negotiatedProtocol, 1);
  assert.equal(outcome.negotiated.connectionId, 5n);
  wire.fill(255);
  assert.deepEqual(outcome.negotiated.handlePassedToken, token);
});

test("decodeHelloReply() names the cause of an unexpected frame", () => {
  const body = encodeMessage(FrameSchema, { envelopeVersion: 1, kind: 1, payloadEncoding: 1 });
  assert.deepEqual(decodeHelloReply(body), {
    kind: "failed",
    failure: "UnexpectedResponseFrame",
    cause: "payload is compressed",
    detail: "unexpected broker response frame: payload is compressed",
  });
});

test("refusal kinds and code names cover every number", () => {
  const seen = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((number) => {
    const code = knownErrorCode(number as ErrorCode);
    return `${code} ${errorCodeName(code)} ${refusalKind(code)}`;
  });
  assert.deepEqual(seen, [
    "0 Unspecified Other",
    "0 Unspecified Other",
    "1 ErrorVersionUnsupported VersionUnsupported",
    "2 ErrorServiceUnknown ServiceUnknown",
    "3 ErrorBackendSpawnFailed Other",
    "4 ErrorRateLimited RateLimited",
    "5 ErrorShuttingDown ShuttingDown",
    "6 ErrorPeerRejected Other",
    "7 ErrorInternal Other",
    "8 ErrorVersionBlocked VersionBlocked",
    "9 ErrorFdPressure Other",
    "0 Unspecified Other",
  ]);
  assert.equal(errorCodeName(99 as ErrorCode), "Unspecified");
});
