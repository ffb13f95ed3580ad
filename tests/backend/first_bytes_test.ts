import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { awaitFirstBytes } from "../../src/backend/first_bytes.ts";
import { encodeBackendOrder } from "../../src/wire/backend_order.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import type { Frame } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { DaemonProcessSchema } from "../../src/wire/gen/broker_v1_manifest_pb.ts";
import { decodeProbeResponse, encodeProbeIdentity, encodeProbeRequest } from "../../src/wire/probe.ts";
import { chunksOf } from "../wire/chunk_source.ts";
import { deferred, turns } from "../support/waiting.ts";
import { FakeStream } from "../transport/fake_stream.ts";
import { pattern } from "../transport/_transport.ts";

const DAEMON = create(DaemonProcessSchema, {
  pid: 7,
  exePath: "/bin/daemon",
  exeSha256: new Uint8Array(32).fill(3),
  ipcEndpoint: { namespaceId: "shared", path: "/run/be.sock" },
  bootId: "boot",
});
const IDENTITY = Promise.resolve(encodeProbeIdentity(DAEMON));
const NONCE = pattern(32, 9);
const PROBE = encodeProbeRequest(NONCE);
const PAYLOAD = concatBytes(Uint8Array.of(0x7a), pattern(20));

/** What came of the first bytes, how many probes were answered, and what was left to read. */
async function look(stream: FakeStream, identity = IDENTITY) {
  let probes = 0;
  const first = await awaitFirstBytes(stream, identity, () => probes++);
  const rest: Uint8Array[] = [];
  while (stream.incoming.bytes > 0) rest.push((await stream.read())!);
  return { first, probes, rest: concatBytes(...rest), sent: stream.sent };
}

/** A stream that has these chunks, and then the end. */
function ended(...chunks: Uint8Array[]): FakeStream {
  const stream = new FakeStream(...chunks);
  stream.incoming.end();
  return stream;
}

function checkAnswers(sent: Uint8Array, count: number): void {
  let rest = sent;
  for (let i = 0; i < count; i++) {
    const length = FRAME_HEADER_BYTES + new DataView(rest.buffer, rest.byteOffset).getUint32(1, true);
    const answer = decodeProbeResponse(rest.subarray(FRAME_HEADER_BYTES, length), NONCE);
    assert.ok(answer.ok);
    assert.deepEqual([answer.identity.pid, answer.identity.exePath], [7, "/bin/daemon"]);
    rest = rest.subarray(length);
  }
  assert.equal(rest.length, 0, "no other byte was sent");
}

test("an application's bytes are left in the stream, all of them and unanswered", async () => {
  const seen = await look(new FakeStream(PAYLOAD));
  assert.deepEqual([seen.first, seen.probes, seen.sent.length], ["payload", 0, 0]);
  assert.deepEqual(seen.rest, PAYLOAD);
});

test("a probe is answered and taken out, wherever the stream is cut, with the bytes behind it left in", async () => {
  const bytes = concatBytes(PROBE, PAYLOAD);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const seen = await look(ended(...chunksOf(bytes, [cut])));
    assert.deepEqual([seen.first, seen.probes], ["payload", 1], `cut at ${cut}`);
    checkAnswers(seen.sent, 1);
    // A chunk behind the one that decided is read by the application itself.
    assert.deepEqual(seen.rest, PAYLOAD, `cut at ${cut}`);
  }
});

test("a probe that comes byte by byte is answered", async () => {
  const seen = await look(ended(...chunksOf(PROBE, Array.from(PROBE.keys()))));
  assert.deepEqual([seen.first, seen.probes, seen.rest.length], ["end", 1, 0]);
  checkAnswers(seen.sent, 1);
});

test("several probes are answered, together or apart, and the end behind them is the end", async () => {
  for (const chunks of [[concatBytes(PROBE, PROBE, PROBE)], [PROBE, PROBE, PROBE]]) {
    const seen = await look(ended(...chunks));
    assert.deepEqual([seen.first, seen.probes], ["end", 3]);
    checkAnswers(seen.sent, 3);
  }
});

test("a client that leaves without a byte is an end, one that leaves inside a frame gave a payload", async () => {
  assert.equal((await look(ended())).first, "end");
  for (const length of [1, 4, 5, PROBE.length - 1]) {
    const seen = await look(ended(PROBE.subarray(0, length)));
    assert.deepEqual([seen.first, seen.probes], ["payload", 0], String(length));
    assert.deepEqual(seen.rest, PROBE.subarray(0, length));
  }
});

test("a frame of another protocol, and one that does not decode, are the application's", async () => {
  const others = [
    encodeFramed({
      envelopeVersion: 1,
      kind: 1,
      payloadProtocol: 0x7a63,
      payload: pattern(9),
      requestId: 4n,
    }),
    Uint8Array.of(1, 1, 0, 0, 0, 0xff),
    Uint8Array.of(1, 0, 0, 0, 0),
    Uint8Array.of(0),
    Uint8Array.of(2, 3, 4),
  ];
  for (const bytes of others) {
    const seen = await look(new FakeStream(bytes));
    assert.deepEqual([seen.first, seen.probes, seen.sent.length], ["payload", 0, 0]);
    assert.deepEqual(seen.rest, bytes);
  }
});

test("a frame longer than any probe is the application's as soon as its length is known", async () => {
  const header = (length: number) => {
    const bytes = new Uint8Array(FRAME_HEADER_BYTES);
    bytes[0] = 1;
    new DataView(bytes.buffer).setUint32(1, length, true);
    return bytes;
  };
  for (const length of [16 * 1024 + 1, 0xffff_ffff]) {
    const seen = await look(new FakeStream(header(length)));
    assert.deepEqual([seen.first, seen.probes], ["payload", 0]);
    assert.deepEqual(seen.rest, header(length));
  }
  let isDecided = false;
  const waiting = look(new FakeStream(header(16 * 1024))).then(() => isDecided = true);
  await turns();
  assert.equal(isDecided, false, "the longest frame a probe may be is waited for");
  void waiting;
});

test("a probe that is none ends the connection without an answer", async () => {
  const broken = [
    encodeFramed({
      envelopeVersion: 1,
      kind: 1,
      payloadProtocol: 0xb232,
      payload: pattern(31),
      requestId: 1n,
    }),
    encodeFramed({ envelopeVersion: 1, kind: 2, payloadProtocol: 0xb232, payload: NONCE, requestId: 1n }),
    encodeFramed({ envelopeVersion: 2, kind: 1, payloadProtocol: 0xb232, payload: NONCE, requestId: 1n }),
  ];
  for (const bytes of broken) {
    const seen = await look(new FakeStream(bytes));
    assert.deepEqual([seen.first, seen.probes, seen.sent.length], ["malformed-probe", 0, 0]);
  }
});

test("an identity that is not known yet is waited for, and nothing is answered before", async () => {
  const identity = deferred<ReturnType<typeof encodeProbeIdentity>>();
  const stream = ended(PROBE);
  const seeing = look(stream, identity.promise);
  await turns();
  assert.equal(stream.sent.length, 0);
  identity.resolve(await IDENTITY);
  assert.equal((await seeing).probes, 1);
});

test("an error of the stream or of the identity is passed on", async () => {
  const failing = new FakeStream();
  failing.incoming.end(new Error("reset"));
  await assert.rejects(look(failing), /reset/);
  const unwritable = new FakeStream(PROBE);
  unwritable.failure = new Error("broken pipe");
  await assert.rejects(look(unwritable), /broken pipe/);
  await assert.rejects(look(new FakeStream(PROBE), Promise.reject(new Error("no identity"))), /no identity/);
});

test("the bytes that are given back are not the reader's own buffer", async () => {
  const chunk = PAYLOAD.slice();
  const stream = new FakeStream(chunk);
  await awaitFirstBytes(stream, IDENTITY, () => {});
  chunk.fill(0);
  assert.deepEqual(await stream.read(), PAYLOAD);
});

const ORDER = encodeBackendOrder({ kind: "Quiesce", reason: "IdleTimeout", onlyIfIdle: true });

test("an order is answered where it may come, wherever it is cut and whatever probe came before", async () => {
  for (const front of [new Uint8Array(0), PROBE]) {
    for (let cut = front.length; cut < front.length + ORDER.length; cut++) {
      const stream = new FakeStream(...chunksOf(concatBytes(front, ORDER), [cut]));
      const orders: Frame[] = [];
      const takeOrder = (frame: Frame) => {
        orders.push(frame);
        return Promise.resolve(Uint8Array.of(1, 2, 3));
      };
      assert.equal(await awaitFirstBytes(stream, IDENTITY, () => {}, takeOrder), "order");
      assert.deepEqual([orders.length, stream.sent.slice(-3)], [1, Uint8Array.of(1, 2, 3)], `cut at ${cut}`);
    }
  }
});

test("a frame of orders that holds none is not answered", async () => {
  const stream = new FakeStream(ORDER);
  const takeOrder = () => Promise.resolve(undefined);
  assert.equal(await awaitFirstBytes(stream, IDENTITY, () => {}, takeOrder), "malformed-order");
  assert.equal(stream.sent.length, 0);
});

test("where no order may come it is the application's, whole and unanswered", async () => {
  const seen = await look(new FakeStream(concatBytes(PROBE, ORDER)));
  assert.deepEqual([seen.first, seen.probes], ["payload", 1]);
  checkAnswers(seen.sent, 1);
  assert.deepEqual(seen.rest, ORDER);
});
