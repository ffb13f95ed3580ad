import assert from "node:assert/strict";
import test from "node:test";
import {
  eventFrame,
  requestFrame,
  responseTo,
  withDeadline,
  withRequestId,
  withTrace,
} from "../../src/wire/frames.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { FrameKind } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { toHex } from "../support/golden.ts";

const pi = new TextEncoder().encode("pi");

test("requestFrame() with a request id has the worked example's bytes", () => {
  const frame = withRequestId(requestFrame(0x7a63, pi), 1n);
  assert.equal(toHex(encodeFramed(frame)), "010c0000000801" + "18e3f401" + "22027069" + "2801");
});

test("responseTo() echoes payload protocol, request id and trace, and nothing else", () => {
  const request = withDeadline(withTrace(withRequestId(requestFrame(0xad01, pi), 7n), "tp", "ts"), 99n);
  const response = responseTo(request, Uint8Array.of(1));
  assert.equal(response.kind, FrameKind.RESPONSE);
  assert.equal(response.payloadProtocol, 0xad01);
  assert.equal(response.requestId, 7n);
  assert.deepEqual([response.traceparent, response.tracestate], ["tp", "ts"]);
  assert.deepEqual([...response.payload], [1]);
  assert.equal(response.deadlineUnixMs, 0n);
});

test("eventFrame() is an event without request id", () => {
  const event = eventFrame(0xd0ff, pi);
  assert.deepEqual([event.kind, event.requestId, event.envelopeVersion], [FrameKind.EVENT, 0n, 1]);
});

test("setters leave the frame they were given alone", () => {
  const frame = requestFrame(0x7a63, pi);
  assert.equal(withRequestId(frame, 3n).requestId, 3n);
  assert.equal(withTrace(frame, "tp").tracestate, "");
  assert.equal(withDeadline(frame, 4n).deadlineUnixMs, 4n);
  assert.deepEqual(frame, requestFrame(0x7a63, pi));
});

test("frames copy their payload", () => {
  const payload = Uint8Array.of(1, 2);
  const frames = [requestFrame(1, payload), eventFrame(1, payload)];
  frames.push(responseTo(frames[0]!, payload));
  payload.fill(9);
  for (const frame of frames) assert.deepEqual([...frame.payload], [1, 2]);
});
