import assert from "node:assert/strict";
import test from "node:test";
import {
  CAPABILITY_EARLY_DATA,
  CAPABILITY_HANDOFF_ANNOUNCED,
  HELLO_BYTES_MAX,
} from "../../src/wire/constants.ts";
import { decodeHello, FRAMING_REFUSALS, routeFirstFrame } from "../../src/wire/first_frame.ts";
import { createFirstFrameReader } from "../../src/wire/first_frame_reader.ts";
import { tryDecodeFramed } from "../../src/wire/framing.ts";
import type { Frame, Hello } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { FrameSchema, HelloReplySchema, HelloSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import {
  encodeHello,
  encodeNegotiatedReply,
  encodeRefusedReply,
  type Refusal,
} from "../../src/wire/hello.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import { fromHex, toHex } from "../support/golden.ts";
import { fromGolden, type GoldenMessage } from "./golden_message.ts";
import { checkVectors } from "./golden_vectors.ts";

interface HelloVector {
  id: string;
  request_wire: string;
  reply_wire: string;
  reply: GoldenMessage;
}

/** A first frame as a Hello-only broker reads it: with the Hello's own limit on the stream. */
type FirstRead = { frame: Frame | undefined; refusal: Refusal } | { frame: Frame; hello: Hello };

function readHello(wire: Uint8Array): FirstRead {
  const reader = createFirstFrameReader({ frameBytesMax: HELLO_BYTES_MAX });
  const step = reader.push(wire);
  if (step.kind !== "frame") {
    const error = step.kind === "error" ? step.error : reader.endOfStream();
    return { frame: undefined, refusal: FRAMING_REFUSALS[error.kind] };
  }
  const route = routeFirstFrame(step.body, false);
  if (route.kind === "refuse") return route;
  const decoded = decodeHello(route.frame);
  return decoded.ok
    ? { frame: route.frame, hello: decoded.hello }
    : { frame: route.frame, refusal: decoded.refusal };
}

const FRAME_LEVEL = [...Object.values(FRAMING_REFUSALS).map((refusal) => refusal.reason)].concat(
  "malformed broker Frame",
  "frame envelope_version is not v1",
  "Hello frame kind must be REQUEST",
  "Hello frame payload_protocol must be control-plane",
  "Hello payload must not be compressed",
  "malformed Hello payload",
);

checkVectors<HelloVector>(
  "hello",
  "frame-level refusals and reply bytes agree with the reference",
  (vector) => {
    const read = readHello(fromHex(vector.request_wire));
    const { result } = fromGolden(HelloReplySchema, vector.reply);
    if ("refusal" in read) {
      assert.equal(toHex(encodeRefusedReply(read.frame, read.refusal)), vector.reply_wire);
      return;
    }
    if (result.case === "negotiated") {
      assert.equal(toHex(encodeNegotiatedReply(read.frame, result.value)), vector.reply_wire);
    } else {
      assert.ok(result.case === "refused");
      assert.ok(!FRAME_LEVEL.includes(result.value.reason), `missed: ${result.value.reason}`);
      assert.equal(toHex(encodeRefusedReply(read.frame, result.value)), vector.reply_wire);
    }
  },
);

test("encodeHello() has the worked example's bytes where the example has fields", () => {
  const options = { serviceName: "zccache", wantedVersion: "1.11.20", peerPid: 77 };
  const wire = encodeHello({ ...options, clientCapabilities: 0n, traceparent: "tp", tracestate: "ts" });
  // The example without its request id 9, with ours, and with the text that every client writes.
  const hello = "080110011a077a6363616368652207312e31312e3230" + "4205" + "68656c6c6f" + "504d";
  assert.equal(toHex(wire), "012d000000" + "0801" + "221f" + hello + "2801" + "42027470" + "4a027473");
});

test("encodeHello() carries every option and advertises handle passing by itself", () => {
  const options = {
    serviceName: "zccache",
    wantedVersion: "1.11.20",
    peerPid: 77,
    clientVersion: "1.2",
    clientLibName: "lib",
    clientLibVersion: "3.4",
    clientKeepaliveSecs: 60n,
    authToken: Uint8Array.of(1, 2),
  };
  const decoded = tryDecodeFramed(encodeHello(options));
  assert.ok(decoded.kind === "frame");
  const { $typeName: _, ...hello } = decodeStrict(HelloSchema, decoded.frame.payload);
  assert.deepEqual(hello, {
    ...options,
    clientMinProtocol: 1,
    clientMaxProtocol: 1,
    clientCapabilities: 1n,
    requestId: "hello",
    connectionId: 0n,
    peerAttestationNonce: new Uint8Array(),
    capabilityToken: new Uint8Array(),
  });
  const bits = CAPABILITY_HANDOFF_ANNOUNCED | CAPABILITY_EARLY_DATA;
  const ours = tryDecodeFramed(encodeHello({ ...options, clientCapabilities: bits }));
  assert.ok(ours.kind === "frame");
  assert.equal(decodeStrict(HelloSchema, ours.frame.payload).clientCapabilities, 3n << 32n);
});

test("encodeRefusedReply() without a request has request id 0 and no trace", () => {
  const wire = encodeRefusedReply(undefined, { code: 4, reason: "slow down", retryAfterMs: 250n });
  const decoded = tryDecodeFramed(wire);
  assert.ok(decoded.kind === "frame");
  const { requestId, traceparent, tracestate, payload } = decoded.frame;
  assert.deepEqual({ requestId, traceparent, tracestate }, {
    requestId: 0n,
    traceparent: "",
    tracestate: "",
  });
  const { result } = decodeStrict(HelloReplySchema, payload);
  assert.ok(result.case === "refused");
  assert.equal(result.value.retryAfterMs, 250n);
  assert.deepEqual([result.value.daemonMinProtocol, result.value.daemonMaxProtocol], [1, 1]);
});

test("replies to a frame of another payload protocol are still control-plane", () => {
  const request = fromGolden(FrameSchema, { payload_protocol: 7, request_id: "9" });
  const decoded = tryDecodeFramed(encodeRefusedReply(request, { code: 6, reason: "no" }));
  assert.ok(decoded.kind === "frame");
  assert.deepEqual([decoded.frame.payloadProtocol, decoded.frame.requestId], [0, 9n]);
});
