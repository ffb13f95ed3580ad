import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  ErrorCode,
  FrameKind,
  FrameSchema,
  HelloReplySchema,
} from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import { REFUSALS } from "../../src/broker/refusals.ts";
import { FakeClient } from "./fake_client.ts";
import { helloFrame } from "./_hello.ts";
import { Negotiation } from "./_negotiation.ts";

const OWN = { pid: 77, uid: 1000, gid: 0 };

async function serve(bytes: Uint8Array, peer: FakeClient["peer"] = OWN, broker = new Negotiation()) {
  const client = new FakeClient(bytes, peer);
  await broker.serve(client);
  return client;
}

function hello(fields = {}): Uint8Array {
  const frame = helloFrame({
    serviceName: "svc",
    wantedVersion: "1.2.3",
    traceparent: "00-trace",
    tracestate: "v=1",
  });
  return encodeFramed({ ...frame, requestId: 99n, ...fields });
}

function replyOf(client: FakeClient) {
  assert.equal(client.written.length, 1);
  const frame = decodeStrict(FrameSchema, client.written[0]!.subarray(5));
  return { frame, result: decodeStrict(HelloReplySchema, frame.payload).result };
}

describe("the reply to a Hello", () => {
  test("is a framed response that echoes request id and trace", async () => {
    const { frame, result } = replyOf(await serve(hello()));
    assert.deepEqual(
      [frame.envelopeVersion, frame.kind, frame.payloadProtocol, frame.requestId],
      [1, FrameKind.RESPONSE, 0, 99n],
    );
    assert.deepEqual([frame.traceparent, frame.tracestate], ["00-trace", "v=1"]);
    assert.ok(result.case === "negotiated");
    assert.equal(result.value.backendPipe, "/run/svc-1.2.3.sock");
  });

  test("for a service without a definition has code 2, no hint, and the range of v1", async () => {
    const broker = new Negotiation(() => ({ kind: "refused", refusal: REFUSALS.definitionMissing }));
    const { result } = replyOf(await serve(hello(), OWN, broker));
    assert.ok(result.case === "refused");
    const { code, reason, retryAfterMs, daemonMinProtocol, daemonMaxProtocol } = result.value;
    assert.deepEqual([code, reason, retryAfterMs], [2, "service definition was not found", 0n]);
    assert.deepEqual([daemonMinProtocol, daemonMaxProtocol], [1, 1]);
  });

  test("of bytes that are no frame is a refusal in a response frame", async () => {
    const { frame, result } = replyOf(await serve(Uint8Array.of(1, 3, 0, 0, 0, 7, 7, 7)));
    assert.deepEqual([frame.kind, frame.requestId], [FrameKind.RESPONSE, 0n]);
    assert.ok(result.case === "refused");
    assert.deepEqual(
      [result.value.code, result.value.reason],
      [ErrorCode.ERROR_PEER_REJECTED, "malformed broker Frame"],
    );
  });
});

describe("a client", () => {
  test("of its own user is answered", async () => {
    const client = await serve(hello());
    assert.deepEqual([client.bytesRead, client.written.length], [true, 1]);
  });

  test("of another user is dropped with nothing read and nothing written", async () => {
    for (const uid of [0, 999, 1001]) {
      const client = await serve(hello(), { ...OWN, uid });
      assert.deepEqual([client.bytesRead, client.written, client.endings], [false, [], ["close"]]);
    }
  });

  test("without credentials is dropped even when the own user is unknown", async () => {
    for (const ownUser of [1000, -1]) {
      const broker = new Negotiation(undefined, ownUser);
      const client = new FakeClient(hello(), undefined);
      await broker.serve(client);
      assert.deepEqual([client.bytesRead, client.written, client.endings], [false, [], ["close"]]);
    }
  });
});
