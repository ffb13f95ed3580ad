import assert from "node:assert/strict";
import test from "node:test";
import { concatBytes } from "../../src/wire/bytes.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { createBackendEndpointMux, type LegacyVerdict } from "../../src/wire/mux.ts";
import { encodeProbeRequest } from "../../src/wire/probe.ts";
import { fromHex } from "../support/golden.ts";
import { checkVectors } from "./golden_vectors.ts";

const identity = {
  pid: 4242,
  exePath: "/usr/bin/z",
  exeSha256: new Uint8Array(32).fill(0x11),
  ipcEndpoint: { namespaceId: "shared", path: "/tmp/be.sock" },
};
const ZCCACHE = 0x7a63;
const mux = createBackendEndpointMux({ identity, payloadProtocols: [ZCCACHE] });

interface MuxVector {
  id: string;
  hex: string;
  poll: string | { error: string; message: string };
}

checkVectors<MuxVector>("mux", "poll() agrees with the reference", (vector) => {
  const polled = mux.poll(fromHex(vector.hex));
  if (typeof vector.poll === "string") return assert.deepEqual(polled, { kind: vector.poll });
  assert.deepEqual(polled, { kind: "Error", error: vector.poll.error, detail: vector.poll.message });
});

test("poll() serves a probe and then payload frames of one connection", () => {
  const payload = encodeFramed({ payloadProtocol: ZCCACHE, kind: 3, payloadEncoding: 2, requestId: 8n });
  let buffer: Uint8Array = concatBytes(encodeProbeRequest(new Uint8Array(32)), payload);
  const probed = mux.poll(buffer);
  assert.ok(probed.kind === "ProbeAnswered");
  buffer = buffer.subarray(probed.consumed);
  const polled = mux.poll(buffer);
  assert.ok(polled.kind === "Payload");
  assert.equal(polled.frame.requestId, 8n);
  assert.equal(polled.consumed, buffer.length);
  for (let cut = 1; cut < payload.length; cut++) {
    assert.equal(mux.poll(payload.subarray(0, cut)).kind, "NeedMoreBytes");
  }
});

test("poll() refuses each first-party payload protocol but the probe's", () => {
  for (const [id, text] of [[0, "0x0000"], [0xad01, "0xAD01"], [0xd0ff, "0xD0FF"]] as const) {
    assert.deepEqual(mux.poll(encodeFramed({ envelopeVersion: 1, payloadProtocol: id })), {
      kind: "Error",
      error: "UnexpectedFirstPartyFrame",
      detail: `unexpected first-party frame on backend endpoint (payload_protocol ${text})`,
      payloadProtocol: id,
    });
  }
});

test("poll() asks the legacy detector first, also about bytes that look like a frame", () => {
  const verdicts: LegacyVerdict[] = ["Legacy", "NeedMoreBytes", "NotLegacy"];
  const frame = encodeFramed({ payloadProtocol: ZCCACHE });
  const seen = verdicts.map((verdict) => {
    const legacy = createBackendEndpointMux({
      identity,
      payloadProtocols: [ZCCACHE],
      detectLegacy: (buffer) => {
        assert.equal(buffer.length, frame.length);
        return verdict;
      },
    });
    assert.equal(legacy.poll(new Uint8Array()).kind, "NeedMoreBytes");
    return legacy.poll(frame).kind;
  });
  assert.deepEqual(seen, ["Legacy", "NeedMoreBytes", "Payload"]);
});

test("createBackendEndpointMux() refuses to serve first-party payload protocols", () => {
  for (const id of [0, 0xad01, 0xb232, 0xd0ff]) {
    assert.throws(() => createBackendEndpointMux({ identity, payloadProtocols: [id] }), RangeError);
  }
});
