import assert from "node:assert/strict";
import { connectLocalSocket, type LocalStream } from "../../mod.ts";
import { isPeerGone } from "../../src/transport/os_error.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { PROTOCOL_VERSION } from "../../src/wire/constants.ts";
import { tryDecodeFramed } from "../../src/wire/framing.ts";
import { AdminReplySchema } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import {
  type Frame,
  FrameKind,
  type HelloReply,
  HelloReplySchema,
  PayloadEncoding,
} from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { ADMIN_PAYLOAD_PROTOCOL, CONTROL_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import { VERSION } from "../support/topology.ts";
import type { HostileAnswer, HostileKind } from "./hostile_kind.ts";
import { WAIT, within } from "../support/waiting.ts";

/** Treats a broker in one way and checks that exactly what it owes comes back. */
export async function playHostile(endpoint: string, what: HostileKind): Promise<void> {
  const stream = await connectLocalSocket(endpoint, WAIT);
  try {
    await within(what.name, play(stream, what));
  } finally {
    stream.close();
  }
}

async function play(stream: LocalStream, { name, writes, then, answer }: HostileKind): Promise<void> {
  for (const bytes of writes) if (!await isTaken(stream, bytes)) break;
  if (then === "leave") return;
  if (then === "half-close") await stream.closeWrite();
  checkAnswer(name, await readToEnd(stream), answer);
}

/** A broker may have refused and closed before it has everything. */
async function isTaken(stream: LocalStream, bytes: Uint8Array): Promise<boolean> {
  try {
    await stream.write(bytes);
    return true;
  } catch (error) {
    if (isPeerGone(error)) return false;
    throw error;
  }
}

/** Everything up to the end; a reset ends a connection as well. */
export async function readToEnd(stream: LocalStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  try {
    for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) chunks.push(chunk);
  } catch (error) {
    if (!isPeerGone(error)) throw error;
  }
  return concatBytes(...chunks);
}

/** Checks all bytes of a broker against what it owes. */
export function checkAnswer(name: string, bytes: Uint8Array, answer: HostileAnswer): void {
  if (answer.kind === "closed") return assert.equal(bytes.length, 0, `${name}: ${bytes.length} bytes came`);
  if (answer.kind === "unheard") return;
  const frame = onlyFrame(name, bytes);
  const { requestId, traceparent, tracestate } = frame;
  assert.deepEqual({ requestId, traceparent, tracestate }, answer.echo, name);
  if (answer.kind === "admin") {
    assert.equal(frame.payloadProtocol, ADMIN_PAYLOAD_PROTOCOL, name);
    assert.equal(decodeStrict(AdminReplySchema, frame.payload).exitCode, answer.exitCode, name);
    return;
  }
  checkReply(name, helloReply(frame, name), answer);
}

function checkReply(
  name: string,
  { result }: HelloReply,
  answer: Extract<HostileAnswer, { kind: "refused" | "negotiated" }>,
): void {
  assert.equal(result.case, answer.kind, name);
  if (answer.kind === "refused" && result.case === "refused") {
    const { $typeName: _, ...seen } = result.value;
    const { code, reason, retryAfterMs } = answer;
    const protocols = { daemonMinProtocol: PROTOCOL_VERSION, daemonMaxProtocol: PROTOCOL_VERSION };
    assert.deepEqual({ ...seen, details: { ...seen.details } }, {
      code,
      reason,
      retryAfterMs,
      details: {},
      ...protocols,
    }, name);
  }
  if (result.case === "negotiated") {
    assert.equal(result.value.daemonVersion, VERSION, name);
    // None of them may be handed over: they did not ask, or bytes lie behind their Hello.
    assert.equal(result.value.handlePassedToken.length, 0, name);
    assert.equal(result.value.serverCapabilities, 0n, name);
  }
}

/** The one frame that the bytes are. */
export function onlyFrame(name: string, bytes: Uint8Array): Frame {
  const decoded = tryDecodeFramed(bytes);
  assert.equal(decoded.kind, "frame", `${name}: ${bytes.length} bytes hold no frame`);
  assert.ok(decoded.kind === "frame");
  assert.equal(decoded.consumed, bytes.length, `${name}: bytes behind the answer`);
  const { envelopeVersion, kind, payloadEncoding } = decoded.frame;
  assert.deepEqual({ envelopeVersion, kind, payloadEncoding }, {
    envelopeVersion: PROTOCOL_VERSION,
    kind: FrameKind.RESPONSE,
    payloadEncoding: PayloadEncoding.NONE,
  }, name);
  return decoded.frame;
}

/** What an answer to a Hello says. */
export function helloReply(frame: Frame, name = "the reply"): HelloReply {
  assert.equal(frame.payloadProtocol, CONTROL_PAYLOAD_PROTOCOL, name);
  return decodeStrict(HelloReplySchema, frame.payload);
}
