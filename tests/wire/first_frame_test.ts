import assert from "node:assert/strict";
import test from "node:test";
import { HELLO_BYTES_MAX } from "../../src/wire/constants.ts";
import { decodeHello, FRAMING_REFUSALS, routeFirstFrame } from "../../src/wire/first_frame.ts";
import { FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { ADMIN_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { fromGolden } from "./golden_message.ts";

const hello = encodeMessage(FrameSchema, { envelopeVersion: 1, requestId: 3n });

/** A frame body of an exact size. */
function bodyOf(bytes: number, payloadProtocol: number): Uint8Array {
  const rest = encodeMessage(FrameSchema, { payloadProtocol }).length;
  // The payload's key takes one byte and its length three.
  return encodeMessage(FrameSchema, { payloadProtocol, payload: new Uint8Array(bytes - rest - 4) });
}

test("routeFirstFrame() sends a Hello on, and refuses it under descriptor pressure with its frame", () => {
  assert.equal(routeFirstFrame(hello, false).kind, "hello");
  const refused = routeFirstFrame(hello, true);
  assert.ok(refused.kind === "refuse");
  assert.equal(refused.frame?.requestId, 3n);
  assert.deepEqual(refused.refusal, {
    code: 9,
    reason: "broker is low on file descriptors; retry shortly",
    retryAfterMs: 1000n,
  });
});

test("routeFirstFrame() serves admin frames beyond the Hello limit and under descriptor pressure", () => {
  const body = bodyOf(HELLO_BYTES_MAX + 1, ADMIN_PAYLOAD_PROTOCOL);
  assert.equal(body.length, HELLO_BYTES_MAX + 1);
  assert.equal(routeFirstFrame(body, true).kind, "admin");
});

test("routeFirstFrame() applies the Hello limit to the body, inclusive, before descriptor pressure", () => {
  assert.equal(routeFirstFrame(bodyOf(HELLO_BYTES_MAX, 0), false).kind, "hello");
  const refused = routeFirstFrame(bodyOf(HELLO_BYTES_MAX + 1, 0), true);
  assert.ok(refused.kind === "refuse" && refused.frame !== undefined);
  assert.deepEqual(refused.refusal, { code: 6, reason: "initial Hello frame exceeds 64 KiB" });
});

test("routeFirstFrame() refuses a body that is no frame without a frame to echo", () => {
  const refusal = { code: 6, reason: "malformed broker Frame" };
  assert.deepEqual(routeFirstFrame(Uint8Array.of(255), true), { kind: "refuse", frame: undefined, refusal });
});

test("FRAMING_REFUSALS has the codes and reasons of the protocol", () => {
  const seen = Object.entries(FRAMING_REFUSALS).map(([kind, { code, reason }]) => [kind, code, reason]);
  assert.deepEqual(seen, [
    ["UnsupportedFramingVersion", 1, "unsupported framing version"],
    ["FrameTooLarge", 6, "initial Hello frame exceeds 64 KiB"],
    ["UnexpectedEof", 6, "incomplete Hello frame"],
    ["Io", 6, "incomplete Hello frame"],
    ["Decode", 6, "malformed Hello frame"],
  ]);
});

test("decodeHello() checks the envelope in order and then the payload", () => {
  const wrong = { envelope_version: 2, kind: 1, payload_protocol: 7, payload_encoding: 1, payload: "ff" };
  const steps = [
    [{}, 1, "frame envelope_version is not v1"],
    [{ envelope_version: 1 }, 6, "Hello frame kind must be REQUEST"],
    [{ kind: 0 }, 6, "Hello frame payload_protocol must be control-plane"],
    [{ payload_protocol: 0 }, 6, "Hello payload must not be compressed"],
    [{ payload_encoding: 0 }, 6, "malformed Hello payload"],
  ] as const;
  let fields = { ...wrong };
  for (const [fix, code, reason] of steps) {
    fields = { ...fields, ...fix };
    const refusal = { code, reason };
    assert.deepEqual(decodeHello(fromGolden(FrameSchema, fields)), { ok: false, refusal });
  }
  const decoded = decodeHello(fromGolden(FrameSchema, { ...fields, payload: "1a017a" }));
  assert.ok(decoded.ok);
  assert.equal(decoded.hello.serviceName, "z");
});
