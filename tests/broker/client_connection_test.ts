import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientConnectionParts, serveClient } from "../../src/broker/client_connection.ts";
import { BrokerError } from "../../src/errors.ts";
import type { PeerCredentials } from "../../src/transport/local_stream.ts";
import { decodeAdminReply, encodeAdminRequest } from "../../src/wire/admin_frames.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { encodeHello, type HelloOptions } from "../../src/wire/hello.ts";
import { decodeHelloReply } from "../../src/wire/hello_reply.ts";
import { ADMIN_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { REFUSALS } from "../../src/broker/refusals.ts";
import { FakeClient } from "./fake_client.ts";
import { fakeBroker, OWN_USER } from "./_client_parts.ts";
import { FakeControl, FakeDialer } from "./_fake_handoff.ts";

const PEER: PeerCredentials = { pid: 77, uid: OWN_USER, gid: 100 };

function helloBytes(fields: Partial<HelloOptions> = {}): Uint8Array {
  const right = { serviceName: "my-daemon", wantedVersion: "1.2.3", peerPid: 77, clientCapabilities: 0n };
  return encodeHello({ ...right, ...fields });
}

const healthz = encodeAdminRequest({ verb: AdminVerb.HEALTHZ });

/** Serves one client of the usual user. */
async function serve(bytes: Uint8Array, parts: ClientConnectionParts, peer = PEER): Promise<FakeClient> {
  const client = new FakeClient(bytes, peer);
  await serveClient(parts, client);
  return client;
}

/** The reply to a Hello: what it says, in one line. */
function replyOf(client: FakeClient): string {
  assert.equal(client.written.length, 1, "one reply");
  assert.deepEqual(client.endings, ["finish"]);
  const reply = decodeHelloReply(client.written[0]!.subarray(FRAME_HEADER_BYTES));
  assert.notEqual(reply.kind, "failed");
  return reply.kind === "refused" ? `${reply.code} ${reply.reason}` : reply.kind;
}

test("a peer of another user, or one that is not known, is dropped before a byte is read", async () => {
  for (const peer of [{ ...PEER, uid: OWN_USER + 1 }, { ...PEER, uid: 0 }, undefined]) {
    const { parts, events } = fakeBroker();
    const client = new FakeClient(helloBytes(), peer);
    await serveClient(parts, client);
    assert.deepEqual([client.bytesRead, client.written.length, client.endings], [false, 0, ["close"]]);
    assert.deepEqual(events, [{ kind: "peer-dropped", peer }]);
  }
});

test("whoever may be anybody is served, but not who is not known", async () => {
  const { parts } = fakeBroker({ peerPolicy: "allow-any" });
  assert.equal(replyOf(await serve(helloBytes(), parts, { ...PEER, uid: OWN_USER + 1 })), "negotiated");
  const unknown = new FakeClient(helloBytes(), undefined);
  await serveClient(parts, unknown);
  assert.deepEqual([unknown.bytesRead, unknown.endings], [false, ["close"]]);
});

test("a Hello is answered once, and told with names, id and time", async () => {
  const { parts, events, time } = fakeBroker({
    route: () => (time.nowMs += 1.5, { kind: "refused", refusal: REFUSALS.notRegistered }),
  });
  assert.equal(replyOf(await serve(helloBytes(), parts)), "3 backend is not registered");
  const told = {
    kind: "hello",
    peer: PEER,
    service: "my-daemon",
    version: "1.2.3",
    handoffAnnounced: false,
    durationUs: 1_500,
  };
  const refused = { outcome: "backend is not registered", code: 3, connectionId: 0n };
  assert.deepEqual(events, [{ ...told, ...refused }]);

  const good = fakeBroker();
  assert.equal(replyOf(await serve(helloBytes(), good.parts)), "negotiated");
  const negotiated = { outcome: "negotiated", code: 0, connectionId: 1n, durationUs: 0 };
  assert.deepEqual(good.events, [{ ...told, ...negotiated }]);
});

test("bytes that are no frame are refused with request id 0 and without names", async () => {
  const cases: [Uint8Array, string][] = [
    [Uint8Array.of(2), "1 unsupported framing version"],
    [Uint8Array.of(1, 0, 0, 0, 2), "6 initial Hello frame exceeds 64 KiB"],
    [helloBytes().subarray(0, 9), "6 incomplete Hello frame"],
    [new Uint8Array(0), "6 incomplete Hello frame"],
    [Uint8Array.of(1, 1, 0, 0, 0, 0xff), "6 malformed broker Frame"],
  ];
  for (const [bytes, wanted] of cases) {
    const { parts, events } = fakeBroker();
    assert.equal(replyOf(await serve(bytes, parts)), wanted);
    const [event] = events;
    assert.ok(event?.kind === "hello");
    assert.deepEqual([event.service, event.version, event.connectionId], ["", "", 0n]);
  }
});

test("a Hello with bytes behind it is answered, and its connection not handed over", async () => {
  const dialer = new FakeDialer(new FakeControl());
  const { parts, tokens, events } = fakeBroker({ dialer });
  const bytes = concatBytes(helloBytes({ clientCapabilities: 1n }), Uint8Array.of(7));
  assert.equal(replyOf(await serve(bytes, parts)), "negotiated");
  assert.deepEqual([dialer.dials.length, tokens.pendingLength], [0, 0]);
  assert.ok(events[0]?.kind === "hello" && !events[0].handoffAnnounced);
});

test("a Hello of a client that takes handoffs is handed over, and its connection ended by that", async () => {
  const control = new FakeControl();
  control.incoming.end();
  const dialer = new FakeDialer(control);
  const { parts, tokens, events } = fakeBroker({ dialer });
  const client = await serve(helloBytes({ clientCapabilities: 1n }), parts);
  assert.equal(client.written.length, 1);
  assert.deepEqual(client.endings, ["shutdown"]);
  assert.deepEqual([dialer.dials.length, control.passed.length, tokens.pendingLength], [1, 1, 0]);
  assert.deepEqual(events.map(({ kind }) => kind), ["hello", "connection-passed", "handoff-fallback"]);
  assert.ok(events[0]?.kind === "hello" && events[0].handoffAnnounced);
});

test("while the broker stops Hellos are refused and operators still answered", async () => {
  const { parts } = fakeBroker({ isDraining: () => true });
  assert.equal(replyOf(await serve(helloBytes(), parts)), "5 broker is shutting down");
  const operator = await serve(healthz, parts);
  const reply = decodeAdminReply(operator.written[0]!.subarray(FRAME_HEADER_BYTES));
  assert.ok(reply.ok);
  assert.equal(reply.reply.body, "ok\n");
});

test("an operator's request is answered and told, whatever its size", async () => {
  const { parts, events } = fakeBroker();
  const client = await serve(
    encodeAdminRequest({ verb: AdminVerb.DUMP, outputPath: "x".repeat(100_000) }),
    parts,
  );
  assert.deepEqual([client.written.length, client.endings], [1, ["finish"]]);
  assert.deepEqual(events, [{ kind: "admin", peer: PEER, verb: AdminVerb.DUMP }]);
});

test("an operator's request that does not decode is dropped without an answer", async () => {
  const { parts, events } = fakeBroker();
  const payload = Uint8Array.of(0xff);
  const bytes = encodeFramed({
    envelopeVersion: 1,
    kind: 1,
    payloadProtocol: ADMIN_PAYLOAD_PROTOCOL,
    payload,
  });
  const client = await serve(bytes, parts);
  assert.deepEqual([client.written.length, client.endings], [0, ["close"]]);
  assert.deepEqual(events.map(({ kind }) => kind), ["connection-failed"]);
});

test("where only Hellos are served an operator's request is one that is none", async () => {
  const { parts } = fakeBroker({ answerAdmin: undefined });
  assert.equal(
    replyOf(await serve(healthz, parts)),
    "6 Hello frame payload_protocol must be control-plane",
  );
});

test("a failure inside the broker ends that connection once, and is told", async () => {
  const failing = new Error("disk on fire");
  const routes = fakeBroker({ route: () => Promise.reject(failing) });
  const client = await serve(helloBytes(), routes.parts);
  assert.equal(client.written.length, 0);
  assert.ok(client.endings.length >= 1 && client.endings.every((ending) => ending === "close"));
  assert.deepEqual(routes.events, [{ kind: "connection-failed", peer: PEER, detail: "disk on fire" }]);

  const admin = fakeBroker({ answerAdmin: () => Promise.reject(failing) });
  assert.equal((await serve(healthz, admin.parts)).written.length, 0);
  assert.equal(admin.events.at(-1)?.kind, "connection-failed");
});

test("a client whose first frame cannot be read is closed and told", async () => {
  const { parts, events } = fakeBroker();
  const client = new FakeClient(helloBytes(), PEER);
  client.firstFrame = () => Promise.reject(new BrokerError("deadline", "Cannot read the first frame"));
  await serveClient(parts, client);
  assert.deepEqual(client.endings, ["close"]);
  const detail = "[deadline] Cannot read the first frame";
  assert.deepEqual(events, [{ kind: "connection-failed", peer: PEER, detail }]);
});

test("the first frame is waited for as long as was set, and no longer than the broker runs", async () => {
  const { parts, stop } = fakeBroker({ firstFrameDeadlineMs: 4_321 });
  const client = new FakeClient(helloBytes(), PEER);
  const waits: unknown[] = [];
  const firstFrame = client.firstFrame.bind(client);
  client.firstFrame = (...args: Parameters<typeof firstFrame>) => {
    waits.push(...args.slice(1));
    return firstFrame(...args);
  };
  await serveClient(parts, client);
  assert.deepEqual(waits, [{ deadlineMs: 4_321, signal: stop }]);
});
