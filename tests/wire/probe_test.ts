import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import test from "node:test";
import { encodeFramed, tryDecodeFramed } from "../../src/wire/framing.ts";
import { FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { type DaemonProcess, DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { createBackendEndpointMux } from "../../src/wire/mux.ts";
import {
  answerProbe,
  decodeProbePayload,
  decodeProbeResponse,
  encodeProbeIdentity,
  encodeProbeRequest,
} from "../../src/wire/probe.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import { fromHex, toHex } from "../support/golden.ts";
import { assertGolden, fromGolden, type GoldenMessage } from "./golden_message.ts";
import { checkVectors } from "./golden_vectors.ts";

interface ProbeVector {
  id: string;
  identity: GoldenMessage;
  request: GoldenMessage;
  request_wire: string;
  served: number[];
  responder: { ok: string } | { error: string };
  mux: { consumed: number; probe: string } | { error: string; message: string } | { payload: number };
}

/** Newer references append the older hash behind everything else; without one they append zeros. */
function asSent(identity: DaemonProcess): DaemonProcess {
  return identity.exeHashAlgorithm === "" ? identity : { ...identity, exeSha256: new Uint8Array(32) };
}

/** The same reply, whatever the order of the identity's fields. */
function assertSameReply(reply: Uint8Array, wanted: string): void {
  if (toHex(reply) === wanted) return;
  const [seen, want] = [reply, fromHex(wanted)].map((wire) => {
    const decoded = tryDecodeFramed(wire);
    assert.ok(decoded.kind === "frame");
    const nonce = decoded.frame.payload.subarray(0, 32);
    const identity = decodeStrict(DaemonProcessSchema, decoded.frame.payload.subarray(32));
    return { length: wire.length, frame: { ...decoded.frame, payload: nonce }, identity };
  });
  assert.ok(want?.identity.exeHashAlgorithm === "blake3", "only newer identities may differ in order");
  assert.deepEqual(seen, want);
}

checkVectors<ProbeVector>("probe", "answerProbe() and the mux answer as the reference", (vector) => {
  const identity = asSent(fromGolden(DaemonProcessSchema, vector.identity));
  const request = fromGolden(FrameSchema, vector.request);
  const wire = encodeFramed(request);
  assert.equal(toHex(wire), vector.request_wire);
  const answer = answerProbe(request, encodeProbeIdentity(identity));
  if ("error" in vector.responder) {
    assert.ok(!answer.ok);
    assert.equal(answer.detail, vector.responder.error);
  } else {
    assert.ok(answer.ok);
    assertSameReply(answer.reply, vector.responder.ok);
  }
  const polled = createBackendEndpointMux({ identity, payloadProtocols: vector.served }).poll(wire);
  if ("error" in vector.mux) {
    assert.ok(polled.kind === "Error");
    assert.deepEqual([polled.error, polled.detail], [vector.mux.error, vector.mux.message]);
  } else if ("payload" in vector.mux) {
    assert.ok(polled.kind === "Payload");
    assert.equal(polled.consumed, vector.mux.payload);
    assert.deepEqual(polled.frame, request);
  } else {
    assert.ok(polled.kind === "ProbeAnswered");
    assert.equal(polled.consumed, vector.mux.consumed);
    assertSameReply(polled.reply, vector.mux.probe);
  }
});

interface ProbeResponseVector {
  id: string;
  nonce: string;
  payload: string;
  result: { ok: GoldenMessage } | { error: string };
}

checkVectors<ProbeResponseVector>(
  "probe_response",
  "decodeProbePayload() judges as the reference",
  (vector) => {
    const result = decodeProbePayload(fromHex(vector.payload), fromHex(vector.nonce));
    if ("error" in vector.result) {
      assert.ok(!result.ok);
      assert.equal(result.detail, vector.result.error);
    } else {
      assert.ok(result.ok);
      assertGolden(DaemonProcessSchema, result.identity, vector.result.ok);
    }
  },
);

const nonce = Uint8Array.from({ length: 32 }, (_, i) => 0xf0 + i);
const identity = create(DaemonProcessSchema, {
  pid: 42,
  exePath: "/usr/bin/z",
  exeSha256: new Uint8Array(32).fill(0x11),
  ipcEndpoint: { namespaceId: "shared", path: "/tmp/be.sock" },
  bootId: "b-1",
});

/** The answering body, with some of the frame's fields replaced. */
function answeringBody(fields: Record<string, unknown> = {}): Uint8Array {
  const request = tryDecodeFramed(encodeProbeRequest(nonce));
  assert.ok(request.kind === "frame");
  const answer = answerProbe(request.frame, encodeProbeIdentity(identity));
  assert.ok(answer.ok);
  const reply = tryDecodeFramed(answer.reply);
  assert.ok(reply.kind === "frame");
  return encodeFramed({ ...reply.frame, ...fields } as never).subarray(5);
}

test("encodeProbeRequest() takes the request id from the nonce, with all 64 bits", () => {
  const decoded = tryDecodeFramed(encodeProbeRequest(nonce, { traceparent: "tp" }));
  assert.ok(decoded.kind === "frame");
  assert.equal(decoded.frame.requestId, 0xf7f6f5f4f3f2f1f0n);
  assert.equal(decoded.frame.traceparent, "tp");
  assert.deepEqual(decoded.frame.payload, nonce);
  assert.throws(() => encodeProbeRequest(nonce.subarray(1)), RangeError);
});

test("decodeProbeResponse() accepts the answer to its own nonce and compares the identity", () => {
  assert.deepEqual(decodeProbeResponse(answeringBody(), nonce), { ok: true, identity });
  assert.deepEqual(decodeProbeResponse(answeringBody(), nonce, identity), { ok: true, identity });
  assert.deepEqual(decodeProbeResponse(answeringBody(), nonce, { ...identity, pid: 43 }), {
    ok: false,
    kind: "IdentityMismatch",
    detail: "endpoint probe response identity did not match expected daemon identity: pid",
    field: "pid",
  });
  const other = nonce.with(31, 0);
  const replayed = decodeProbeResponse(answeringBody(), other);
  assert.ok(!replayed.ok);
  assert.equal(
    replayed.detail,
    "unexpected endpoint probe response: nonce does not match endpoint probe request",
  );
});

test("decodeProbeResponse() judges the request id before the encoding", () => {
  const wrong = { envelopeVersion: 2, kind: 0, payloadProtocol: 1, requestId: 1n, payloadEncoding: 1 };
  const steps = [
    [{}, "envelope_version is not v1"],
    [{ envelopeVersion: 1 }, "kind is not RESPONSE"],
    [{ kind: 1 }, "payload_protocol is not endpoint probe"],
    [{ payloadProtocol: 0xb232 }, "request_id does not match endpoint probe request"],
    [{ requestId: 0xf7f6f5f4f3f2f1f0n }, "payload is compressed"],
  ] as const;
  let fields: Record<string, unknown> = wrong;
  for (const [fix, problem] of steps) {
    fields = { ...fields, ...fix };
    const detail = `unexpected endpoint probe response: ${problem}`;
    const seen = decodeProbeResponse(answeringBody(fields), nonce);
    assert.deepEqual(seen, { ok: false, kind: "UnexpectedFrame", detail });
  }
  assert.deepEqual(decodeProbeResponse(Uint8Array.of(255), nonce), {
    ok: false,
    kind: "DecodeFrame",
    detail:
      "failed to decode endpoint probe response Frame: failed to decode Protobuf message: invalid varint",
  });
});

test("decodeProbePayload() names the kind of each failure", () => {
  const kinds = [new Uint8Array(31), new Uint8Array(32), nonce, Uint8Array.of(...nonce, 255)].map(
    (payload) => {
      const result = decodeProbePayload(payload, nonce);
      return result.ok ? "ok" : result.kind;
    },
  );
  assert.deepEqual(kinds, ["MalformedPayload", "UnexpectedFrame", "Identity", "DecodeDaemonProcess"]);
});
