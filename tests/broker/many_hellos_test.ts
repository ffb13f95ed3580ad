import assert from "node:assert/strict";
import test from "node:test";
import { ErrorCode, type Frame, FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { encodeHello } from "../../src/wire/hello.ts";
import { decodeHelloReply } from "../../src/wire/hello_reply.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import { connectLocalSocket, ServiceDefinitionLoader, writeServiceDefinition } from "../../mod.ts";
import { type LocalBroker, startLocalBackend, startLocalBroker } from "../faults/local_pair.ts";
import { SERVICE, VERSION } from "../support/topology.ts";
import { WAIT, within } from "../support/waiting.ts";

interface Answer {
  readonly frame: Frame;
  readonly reply: ReturnType<typeof decodeHelloReply>;
}

/** A client that says one thing and reads what it is answered. */
async function say(broker: LocalBroker, bytes: Uint8Array): Promise<Answer> {
  const stream = await connectLocalSocket(broker.endpoint, WAIT);
  try {
    await stream.write(bytes);
    const body = await within("the broker's answer", readFrame(stream));
    return { frame: decodeStrict(FrameSchema, body), reply: decodeHelloReply(body) };
  } finally {
    stream.close();
  }
}

/** A Hello with a request id of its own and no wish for a handover. */
function hello(requestId: bigint): Uint8Array {
  const bytes = encodeHello({
    serviceName: SERVICE,
    wantedVersion: VERSION,
    peerPid: 0,
    clientCapabilities: 0n,
  });
  return encodeFramed({ ...decodeStrict(FrameSchema, bytes.subarray(5)), requestId });
}

async function herd(broker: LocalBroker, clients: number) {
  const ids = Array.from({ length: clients }, (_, index) => BigInt(1000 + index));
  const answers = await Promise.all(ids.map((id) => say(broker, hello(id))));
  answers.forEach(({ frame }, index) => assert.equal(frame.requestId, ids[index]));
  return answers.map(({ reply }) => reply);
}

const ascending = (a: bigint, b: bigint) => Number(a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => BigInt(index + 1));

test("a hundred clients at once get connection ids 1 to 100, each its own request id back", async () => {
  await using backend = await startLocalBackend();
  await using broker = await startLocalBroker(backend, { helloRate: 0 });
  const replies = await herd(broker, 100);
  const ids = replies.map((reply) => reply.kind === "negotiated" ? reply.negotiated.connectionId : 0n);
  assert.deepEqual(ids.toSorted(ascending), upTo(100));
});

test("a definition that changes while the broker serves blocks the next Hello", async () => {
  await using backend = await startLocalBackend();
  await using broker = await startLocalBroker(backend);
  assert.equal((await say(broker, hello(5n))).reply.kind, "negotiated");
  const loaded = await new ServiceDefinitionLoader(backend.definitions).load(SERVICE);
  await writeServiceDefinition(backend.definitions, { ...loaded, minVersion: "20.0.0" });
  const { frame, reply } = await say(broker, hello(6n));
  assert.equal(frame.requestId, 6n);
  assert.ok(reply.kind === "refused");
  assert.deepEqual(
    [reply.code, reply.reason],
    [ErrorCode.ERROR_VERSION_BLOCKED, "wanted_version is below min_version"],
  );
});

test("64 clients that start together are all negotiated, also when only 64 are served at once", async () => {
  await using backend = await startLocalBackend();
  await using broker = await startLocalBroker(backend, { helloRate: 0, connectionsOpenMax: 64 });
  const replies = await herd(broker, 64);
  const ids = replies.map((reply) => reply.kind === "negotiated" ? reply.negotiated.connectionId : 0n);
  assert.deepEqual(ids.toSorted(ascending), upTo(64));
});

test("a broker with a bound stops after exactly that many connections; later ones cannot connect", async () => {
  await using backend = await startLocalBackend();
  await using broker = await startLocalBroker(backend, { helloRate: 0, connectionsMax: 64 });
  const replies = await herd(broker, 64);
  assert.deepEqual(replies.filter(({ kind }) => kind !== "negotiated"), []);
  await within("the end of the broker", broker.broker.closed);
  for (let late = 0; late < 16; late++) {
    await assert.rejects(connectLocalSocket(broker.endpoint, WAIT), { code: "os" });
  }
});

test("96 malformed clients at once are each refused for what was wrong with theirs", async () => {
  await using backend = await startLocalBackend();
  await using broker = await startLocalBroker(backend, { helloRate: 0 });
  const badFrame = concatBytes(Uint8Array.of(1, 3, 0, 0, 0), Uint8Array.of(7, 7, 7));
  const opened = decodeStrict(FrameSchema, hello(5n).subarray(5));
  const badPayload = encodeFramed({ ...opened, payload: Uint8Array.of(0xff) });
  const answers = await Promise.all(
    Array.from({ length: 96 }, (_, index) => say(broker, index % 2 === 0 ? badFrame : badPayload)),
  );
  const reasons = answers.map(({ reply }) => reply.kind === "refused" ? [reply.code, reply.reason] : []);
  reasons.forEach((reason, index) => {
    const wanted = index % 2 === 0 ? "malformed broker Frame" : "malformed Hello payload";
    assert.deepEqual(reason, [ErrorCode.ERROR_PEER_REJECTED, wanted]);
  });
});

test("of 32 clients of one process 8 a second are negotiated and the others told when to come back", async () => {
  await using backend = await startLocalBackend();
  await using broker = await startLocalBroker(backend, { helloRate: 8 });
  const startMs = performance.now();
  const replies = await herd(broker, 32);
  const windows = 1 + Math.floor((performance.now() - startMs) / 1000);
  const ids = replies.flatMap((reply) => reply.kind === "negotiated" ? [reply.negotiated.connectionId] : []);
  const limited = replies.flatMap((reply) =>
    reply.kind === "refused" && reply.code === ErrorCode.ERROR_RATE_LIMITED ? [reply.retryAfterMs] : []
  );
  assert.ok(ids.length >= 8 && ids.length <= 8 * windows, `${ids.length} in ${windows} windows`);
  assert.deepEqual(ids.toSorted(ascending), upTo(ids.length));
  assert.equal(limited.length, 32 - ids.length);
  assert.ok(limited.every((retryAfterMs) => retryAfterMs > 0n && retryAfterMs <= 1000n));
});
