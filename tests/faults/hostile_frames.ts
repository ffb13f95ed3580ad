import type { MessageInitShape } from "@bufbuild/protobuf";
import { PROTOCOL_VERSION } from "../../src/wire/constants.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { AdminRequestSchema } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { type FrameSchema, HelloSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { ADMIN_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { SERVICE, VERSION } from "../support/topology.ts";

type FrameFields = MessageInitShape<typeof FrameSchema>;
type HelloFields = MessageInitShape<typeof HelloSchema>;

/** What every frame here carries and a broker that could decode it has to echo. */
export const ECHOED = {
  requestId: 0x0102_0304_0506_0708n,
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  tracestate: "vendor=value",
} as const;

/** A Hello that a broker of the test topology takes; no handoff is asked for. */
export function helloPayload(fields: HelloFields = {}): Uint8Array<ArrayBuffer> {
  return encodeMessage(HelloSchema, {
    clientMinProtocol: PROTOCOL_VERSION,
    clientMaxProtocol: PROTOCOL_VERSION,
    serviceName: SERVICE,
    wantedVersion: VERSION,
    ...fields,
  });
}

/** The same in a frame whose fields may differ from what they should be. */
export function helloFrame(hello: HelloFields = {}, frame: FrameFields = {}): Uint8Array<ArrayBuffer> {
  return requestFrame({ payload: helloPayload(hello), ...frame });
}

/** An operator's request, likewise. */
export function adminFrame(
  request: MessageInitShape<typeof AdminRequestSchema>,
  frame: FrameFields = {},
): Uint8Array<ArrayBuffer> {
  const payload = encodeMessage(AdminRequestSchema, request);
  return requestFrame({ payloadProtocol: ADMIN_PAYLOAD_PROTOCOL, payload, ...frame });
}

/** A frame that is right but for the given fields. */
export function requestFrame(fields: FrameFields): Uint8Array<ArrayBuffer> {
  return encodeFramed({ envelopeVersion: PROTOCOL_VERSION, ...ECHOED, ...fields });
}

/** A good Hello whose frame's body has exactly so many bytes, by a long trace state. */
export function helloFrameOfBody(bodyBytes: number): { bytes: Uint8Array<ArrayBuffer>; tracestate: string } {
  const withState = (length: number) => helloFrame({}, { tracestate: "s".repeat(length) });
  // The state's length has as many bytes in both frames, so that the difference is the same.
  const guess = bodyBytes - 512;
  const tracestate = "s".repeat(guess + bodyBytes - (withState(guess).length - 5));
  return { bytes: withState(tracestate.length), tracestate };
}

/** A header that announces a body, and whatever is put behind it. */
export function header(bodyBytes: number, ...body: number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + body.length);
  bytes[0] = 1;
  new DataView(bytes.buffer).setUint32(1, bodyBytes, true);
  bytes.set(body, 5);
  return bytes;
}

/** Bytes that a seed determines (xorshift32). */
export function seededBytes(seed: number, length: number): Uint8Array<ArrayBuffer> {
  let state = (seed | 0) || 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

/** Each byte as a write of its own. */
export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** The bytes of a text. */
export function textBytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}
