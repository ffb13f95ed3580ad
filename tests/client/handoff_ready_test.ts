import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { awaitHandoffReady, handoffAnnounced } from "../../src/client/handoff_ready.ts";
import { BrokerError } from "../../src/errors.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { NegotiatedSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeHandoffAck, encodeHandoffReady } from "../../src/wire/handoff_frames.ts";
import { chunksOf } from "../wire/chunk_source.ts";
import { turns, within } from "../support/waiting.ts";
import { FakeStream } from "../transport/fake_stream.ts";
import { pattern } from "../transport/_transport.ts";

const BIT_0 = 1n;
const BIT_32 = 1n << 32n;
const TOKEN = pattern(16, 8);
const READY = encodeHandoffReady({ token: TOKEN, accepted: true, correlationId: 5n });
const WAIT = { deadlineMs: 5_000 };

function negotiated(serverCapabilities: bigint, token = TOKEN) {
  return create(NegotiatedSchema, { serverCapabilities, handlePassedToken: token });
}

const wait = (stream: FakeStream, options: Parameters<typeof awaitHandoffReady>[2] = WAIT) =>
  within("READY", awaitHandoffReady(stream, negotiated(BIT_0), options));

/** Why the connection was not handed over, where it has not ended. */
async function reason(stream: FakeStream): Promise<string> {
  const fallback = await wait(stream);
  assert.equal(fallback?.isEnd, false);
  return fallback.detail;
}

test("a client that adopts by itself waits only when the broker says that a handoff is coming", () => {
  assert.equal(handoffAnnounced("auto", negotiated(BIT_0 | BIT_32)), true);
  assert.equal(handoffAnnounced("auto", negotiated(BIT_0 | BIT_32 | 6n)), true);
  for (const bits of [0n, BIT_0, BIT_32, 6n]) assert.equal(handoffAnnounced("auto", negotiated(bits)), false);
});

test("a client that insists waits whenever a token was issued with the capability", () => {
  assert.equal(handoffAnnounced(true, negotiated(BIT_0)), true);
  assert.equal(handoffAnnounced(true, negotiated(BIT_0 | BIT_32)), true);
  for (const bits of [0n, BIT_32, 2n]) assert.equal(handoffAnnounced(true, negotiated(bits)), false);
});

test("without a token, or a client that wants one, nothing is waited for", () => {
  const none = new Uint8Array(0);
  for (const adopt of ["auto", true] as const) {
    assert.equal(handoffAnnounced(adopt, negotiated(BIT_0 | BIT_32, none)), false);
  }
  assert.equal(handoffAnnounced(false, negotiated(BIT_0 | BIT_32)), false);
});

test("READY for this token means adopted, wherever it is cut, and what is behind it stays", async () => {
  const answer = pattern(30);
  const bytes = concatBytes(READY, answer);
  for (let cut = 1; cut <= bytes.length; cut++) {
    const stream = new FakeStream(...chunksOf(bytes, [cut]));
    assert.equal(await wait(stream), undefined, `cut at ${cut}`);
    const rest: Uint8Array[] = [];
    while (stream.incoming.bytes > 0) rest.push((await stream.read())!);
    assert.deepEqual(concatBytes(...rest), answer, `cut at ${cut}`);
  }
});

test("READY that names another token, or does not accept, is none", async () => {
  const other = encodeHandoffReady({ token: pattern(16, 9), accepted: true, correlationId: 5n });
  assert.match(await reason(new FakeStream(other)), /token does not match/);
  const refusing = encodeHandoffReady({ token: TOKEN, accepted: false, correlationId: 5n });
  assert.match(await reason(new FakeStream(refusing)), /does not accept/);
});

test("a frame that is no READY is a reason to reconnect", async () => {
  const response = encodeHandoffAck({ token: TOKEN, accepted: true, correlationId: 5n });
  assert.match(await reason(new FakeStream(response)), /unexpected handoff-ready frame/);
  assert.match(await reason(new FakeStream(Uint8Array.of(1, 1, 0, 0, 0, 0xff))), /handoff-ready/);
  assert.match(await reason(new FakeStream(Uint8Array.of(2))), /version/i);
});

test("a broker that hangs up, before or within READY, is a reason to reconnect", async () => {
  for (const bytes of [new Uint8Array(0), READY.subarray(0, 1), READY.subarray(0, 20)]) {
    const stream = new FakeStream(bytes);
    stream.incoming.end();
    const fallback = await wait(stream);
    assert.equal(fallback?.isEnd, true, "whatever was written has been read");
    assert.ok(!fallback.detail.startsWith("["), fallback.detail);
  }
  const gone = new FakeStream();
  gone.incoming.end(new BrokerError("closed", "Cannot read: ECONNRESET"));
  assert.deepEqual(await wait(gone), { detail: "the broker closed the connection", isEnd: true });
});

test("a broker that says nothing is waited for as long as was set", async () => {
  assert.deepEqual(await wait(new FakeStream(), { deadlineMs: 15 }), {
    detail: "no handoff-ready event in 15 ms",
    isEnd: false,
  });
});

test("READY that comes after the wait was given up is still there to be read", async () => {
  const stream = new FakeStream();
  await wait(stream, { deadlineMs: 5 });
  stream.incoming.push(READY);
  assert.deepEqual(await stream.read(), READY);
});

test("only the caller's own signal is an error", async () => {
  const controller = new AbortController();
  const waiting = wait(new FakeStream(), { ...WAIT, signal: controller.signal });
  await turns(1);
  controller.abort(new Error("not needed any more"));
  await assert.rejects(waiting, /^Error: not needed any more$/);
  const odd = new FakeStream();
  odd.incoming.end(new Error("odd"));
  assert.match(await reason(odd), /odd/);
});
