import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { connectLocalSocket, type LocalStream } from "../../mod.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { encodeFramed, encodeFramedBody } from "../../src/wire/framing.ts";
import { FrameKind, PayloadEncoding } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { BACKEND_PROBE_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { decodeProbeResponse, encodeProbeRequest, probeRequestId } from "../../src/wire/probe.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { ECHOED, header, seededBytes, textBytes } from "./hostile_frames.ts";
import { readExactly, startLocalBackend } from "./local_pair.ts";
import { onlyFrame, readToEnd } from "./play_hostile.ts";
import { within } from "../support/waiting.ts";

const served = await startLocalBackend();
const identity = await served.backend.identity;
after(() => served[Symbol.asyncDispose]());

let nonces = 0;
const newNonce = () => seededBytes(++nonces, 32);

async function withStream(run: (stream: LocalStream) => Promise<void>): Promise<void> {
  const stream = await connectLocalSocket(served.endpoint);
  try {
    await run(stream);
  } finally {
    stream.close();
  }
}

async function requireProbed(stream: LocalStream, nonce: Uint8Array): Promise<void> {
  const answer = decodeProbeResponse(await within("the answer", readFrame(stream)), nonce, identity);
  assert.ok(answer.ok, answer.ok ? "" : answer.detail);
}

/** What the application gets is what it echoes. */
async function requireEchoed(stream: LocalStream, bytes: Uint8Array): Promise<void> {
  assert.deepEqual([...await within("the echo", readExactly(stream, bytes.length))], [...bytes]);
}

const connections = () => served.events.of("connection").length;

test("a probe is answered with the identity of this process, its id and its trace", () =>
  withStream(async (stream) => {
    const nonce = newNonce();
    const before = connections();
    const { traceparent, tracestate } = ECHOED;
    await stream.write(encodeProbeRequest(nonce, { traceparent, tracestate }));
    await stream.closeWrite();
    const bytes = await within("the answer", readToEnd(stream));
    const frame = onlyFrame("the answer", bytes);
    assert.deepEqual(
      [frame.payloadProtocol, frame.requestId, frame.traceparent, frame.tracestate],
      [BACKEND_PROBE_PAYLOAD_PROTOCOL, probeRequestId(nonce), traceparent, tracestate],
    );
    assert.ok(decodeProbeResponse(bytes.subarray(5), nonce, identity).ok);
    assert.equal(connections(), before, "the application saw nothing of it");
  }));

describe("a connection that was probed goes on to the application", () => {
  const payload = textBytes("the first request");
  test("in one write", () =>
    withStream(async (stream) => {
      const nonce = newNonce();
      await stream.write(concatBytes(encodeProbeRequest(nonce), payload));
      await requireProbed(stream, nonce);
      await requireEchoed(stream, payload);
    }));
  test("in writes of their own, after two probes", () =>
    withStream(async (stream) => {
      for (let i = 0; i < 2; i++) {
        const nonce = newNonce();
        await stream.write(encodeProbeRequest(nonce));
        await requireProbed(stream, nonce);
      }
      await stream.write(payload);
      await requireEchoed(stream, payload);
    }));
});

test("a probe cut at any byte is answered", async () => {
  const length = encodeProbeRequest(newNonce()).length;
  for (let cut = 1; cut < length; cut++) {
    await withStream(async (stream) => {
      const nonce = newNonce();
      const probe = encodeProbeRequest(nonce);
      await stream.write(probe.subarray(0, cut));
      // Another connection is served behind it: by then the first part has been read.
      await withStream(async (other) => {
        const between = newNonce();
        await other.write(encodeProbeRequest(between));
        await requireProbed(other, between);
      });
      await stream.write(probe.subarray(cut));
      await requireProbed(stream, nonce);
    });
  }
});

describe("a malformed probe ends the connection without an answer", () => {
  const good = {
    envelopeVersion: 1,
    kind: FrameKind.REQUEST,
    payloadProtocol: BACKEND_PROBE_PAYLOAD_PROTOCOL,
  };
  const cases: Record<string, Parameters<typeof encodeFramed>[0]> = {
    "a nonce of 31 bytes": { ...good, payload: new Uint8Array(31) },
    "a nonce of 33 bytes": { ...good, payload: new Uint8Array(33) },
    "no nonce": good,
    "a RESPONSE": { ...good, kind: FrameKind.RESPONSE, payload: new Uint8Array(32) },
    "an EVENT": { ...good, kind: FrameKind.EVENT, payload: new Uint8Array(32) },
    "envelope version 2": { ...good, envelopeVersion: 2, payload: new Uint8Array(32) },
    "a compressed probe": { ...good, payloadEncoding: PayloadEncoding.ZSTD, payload: new Uint8Array(32) },
  };
  for (const [title, fields] of Object.entries(cases)) {
    test(title, () =>
      withStream(async (stream) => {
        const before = connections();
        const malformed = () =>
          served.events.of("connection-unused").filter(({ detail }) => detail === "malformed-probe").length;
        const seen = malformed();
        await stream.write(encodeFramed(fields));
        assert.equal((await within("the end", readToEnd(stream))).length, 0);
        assert.equal(malformed(), seen + 1);
        assert.equal(connections(), before);
      }));
  }
});

describe("bytes that look like a probe and are none reach the application whole", () => {
  const cases: Record<string, Uint8Array> = {
    "a frame of the application": encodeFramed({
      envelopeVersion: 1,
      payloadProtocol: 0x7a63,
      payload: textBytes("q"),
    }),
    "a frame that does not decode": encodeFramedBody(Uint8Array.of(0x07, 1, 2, 3)),
    "an empty frame": header(0),
    "a frame longer than any probe, begun": header(1 << 20, 8, 1),
    "another framing version": Uint8Array.of(2, 3, 4),
    "a probe behind other bytes": concatBytes(textBytes("GET"), encodeProbeRequest(newNonce())),
  };
  for (const [title, bytes] of Object.entries(cases)) {
    test(title, () =>
      withStream(async (stream) => {
        await stream.write(bytes);
        await requireEchoed(stream, bytes);
      }));
  }
  for (const length of [1, 4, 5, 9]) {
    test(`${length} bytes and the end`, () =>
      withStream(async (stream) => {
        const begun = header(100, 8, 1, 24, 178).subarray(0, length);
        await stream.write(begun);
        await stream.closeWrite();
        assert.deepEqual([...await within("the echo", readToEnd(stream))], [...begun]);
      }));
  }
});
