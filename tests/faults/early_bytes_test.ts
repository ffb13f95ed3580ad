import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connectLocalSocket, type LocalStream, sendAdminRequest } from "../../mod.ts";
import { CAPABILITY_HANDLE_PASSING, CAPABILITY_HANDOFF_ANNOUNCED } from "../../src/wire/constants.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { tryDecodeFramed } from "../../src/wire/framing.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import type { Negotiated } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { decodeHandoffReady } from "../../src/wire/handoff_frames.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { decodeHelloReply } from "../../src/wire/hello_reply.ts";
import { helloFrame, textBytes } from "./hostile_frames.ts";
import { requireEcho, startLocalBackend, startLocalBroker } from "./local_pair.ts";
import { helloReply, onlyFrame, readToEnd } from "./play_hostile.ts";
import { within } from "../support/waiting.ts";

/** What an adopting client of ours sets. */
const clientCapabilities = CAPABILITY_HANDLE_PASSING | CAPABILITY_HANDOFF_ANNOUNCED;
const HELLO = helloFrame({ clientCapabilities });
const EARLY = textBytes("early request");

const served = await startLocalBackend();
const broker = await startLocalBroker(served, { helloRate: 0 });
after(async () => {
  await broker[Symbol.asyncDispose]();
  await served[Symbol.asyncDispose]();
});

/** Writes the bytes in two parts; the broker has seen the first one before the second is written. */
async function sendCut(stream: LocalStream, bytes: Uint8Array, cut: number): Promise<void> {
  if (cut > 0) await stream.write(bytes.subarray(0, cut));
  if (cut === bytes.length) return;
  // The broker answers this behind whatever it had before.
  await sendAdminRequest(broker.endpoint, { verb: AdminVerb.HEALTHZ });
  await stream.write(bytes.subarray(cut));
}

/** The reply to a Hello with bytes behind it: no token, no announcement, and then the end. */
async function requireNotHandedOver(stream: LocalStream, title: string): Promise<Negotiated> {
  const { result } = helloReply(onlyFrame(title, await within(title, readToEnd(stream))), title);
  assert.ok(result.case === "negotiated", title);
  assert.equal(result.value.handlePassedToken.length, 0, title);
  assert.equal(result.value.serverCapabilities, 0n, title);
  return result.value;
}

/** The reply to a Hello alone: a token, the ready event, and the backend behind it. */
async function requireHandedOver(stream: LocalStream, title: string): Promise<void> {
  const reply = decodeHelloReply(await within(title, readFrame(stream)));
  assert.ok(reply.kind === "negotiated", title);
  const token = reply.negotiated.handlePassedToken;
  assert.equal(token.length, 16, title);
  const ready = decodeHandoffReady(await within(`${title}: ready`, readFrame(stream)), token);
  assert.equal(ready.ok, true, title);
}

test("a request in the same write as the Hello is lost nowhere: no handoff, and an answer after reconnecting", async () => {
  const stream = await connectLocalSocket(broker.endpoint);
  await stream.write(concatBytes(HELLO, EARLY));
  const { backendPipe } = await requireNotHandedOver(stream, "the reply");
  stream.close();
  const again = await connectLocalSocket(backendPipe);
  await requireEcho(again, "early request");
  again.close();
  assert.deepEqual(broker.events.of("connection-passed"), []);
});

test("a Hello cut at any byte is answered, handed over and served", async () => {
  for (let cut = 0; cut < HELLO.length; cut++) {
    const title = `cut at ${cut}`;
    const stream = await connectLocalSocket(broker.endpoint);
    await sendCut(stream, HELLO, cut);
    await requireHandedOver(stream, title);
    await requireEcho(stream, title);
    stream.close();
  }
});

test("bytes behind a Hello that is cut anywhere are never answered on that connection", async () => {
  const bytes = concatBytes(HELLO, EARLY);
  const passed = broker.events.of("connection-passed").length;
  for (let cut = 0; cut <= bytes.length; cut++) {
    // Cut exactly behind the Hello, they are not early but late: the next test.
    if (cut === HELLO.length) continue;
    const stream = await connectLocalSocket(broker.endpoint);
    if (cut < HELLO.length) await sendCut(stream, bytes, cut);
    else await stream.write(bytes.subarray(0, cut));
    await requireNotHandedOver(stream, `cut at ${cut}`);
    stream.close();
  }
  assert.equal(broker.events.of("connection-passed").length, passed);
});

test("bytes that come after the Hello was taken are answered once or not at all, and nothing hangs", async () => {
  const bytes = concatBytes(HELLO, EARLY);
  for (let round = 0; round < 20; round++) {
    const stream = await connectLocalSocket(broker.endpoint);
    if (round % 2 === 0) await sendCut(stream, bytes, HELLO.length);
    else for (const part of [HELLO, EARLY]) await stream.write(part);
    await stream.closeWrite();
    const answer = splitAnswers(await within(`round ${round}`, readToEnd(stream)));
    assert.ok(answer.frames === 1 || answer.frames === 2, `${answer.frames} frames`);
    assert.ok(["", "early request"].includes(answer.text), answer.text);
    stream.close();
  }
});

/** Frames and echoed text, in whichever order they came. */
function splitAnswers(bytes: Uint8Array): { frames: number; text: string } {
  let frames = 0;
  let text = "";
  for (let rest = bytes; rest.length > 0;) {
    const decoded = tryDecodeFramed(rest);
    if (decoded.kind === "frame") frames++;
    else text += String.fromCharCode(rest[0]!);
    rest = rest.subarray(decoded.kind === "frame" ? decoded.consumed : 1);
  }
  return { frames, text };
}
