import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { RegisteredBackend } from "../../src/broker/backend_registry.ts";
import type { BrokerEvent } from "../../src/broker/broker_event.ts";
import { HandoffDesk } from "../../src/broker/handoff_desk.ts";
import type { HelloAnswer } from "../../src/broker/hello_handler.ts";
import { CancelSource } from "../../src/cancel_signal.ts";
import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import type { HandoffToken } from "../../src/handoff/handoff_token.ts";
import { NegotiatedSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { issued, tokenStore } from "../handoff/_support.ts";
import { pattern } from "../transport/_transport.ts";
import { hello, registeredBackend } from "./_hello_values.ts";
import { ackFrame, type Dial, FakeControl, FakeDialer, heldConnection } from "./_fake_handoff.ts";

const REPLY = pattern(30);
const NOTHING_EARLY = { isAnnounced: false, residueBytes: 0 };
const NO_BYTES = new Uint8Array(0);

/** A desk over dials that are written down, with a clock that the test moves. */
function deskOver(dials: Dial[], options: { pendingAcksMax?: number } = {}) {
  const books = { tokens: tokenStore(), acks: new HandoffAckRegistry(options) };
  const dialer = new FakeDialer(...dials);
  const events: BrokerEvent[] = [];
  const time = { nowMs: 1_000 };
  const abort = new CancelSource();
  const desk = new HandoffDesk({
    transport: dialer.transport,
    books,
    clock: () => time.nowMs,
    observe: (event) => void events.push(event),
    abort,
  });
  const handOver = async (
    token: HandoffToken,
    connection = heldConnection(),
    backend = registeredBackend(),
  ) => {
    let answers = 0;
    const client = { connection, reply: REPLY, residue: NO_BYTES, answered: () => void answers++ };
    await desk.handOver(client, negotiation(backend), token);
    assert.equal(answers, 1);
    return connection;
  };
  return {
    desk,
    books,
    dialer,
    events,
    time,
    abort,
    handOver,
    token: () => issued(books.tokens, time.nowMs),
  };
}

function negotiation(
  backend: RegisteredBackend,
): Extract<HelloAnswer<RegisteredBackend>, { kind: "negotiated" }> {
  const negotiated = create(NegotiatedSchema, { connectionId: 5n });
  return { kind: "negotiated", hello: hello(), backend, negotiated, token: undefined };
}

const refusedDials = (count: number): Dial[] =>
  Array.from({ length: count }, () => ({ errno: "ECONNREFUSED" }));

test("the reply goes out before anything else, READY behind the ACK, and each step is told", async () => {
  const control = new FakeControl();
  const { events, handOver, token, time, dialer } = deskOver([control]);
  const issuedToken = token();
  const connection = heldConnection();
  control.pass = () => {
    assert.deepEqual(connection.written, [REPLY], "the reply was written before the connection left");
    time.nowMs += 0.25;
    control.incoming.push(ackFrame(issuedToken, 5n));
    return { ok: true };
  };
  await handOver(issuedToken, connection);
  assert.equal(connection.written.length, 2);
  assert.deepEqual(connection.endings, ["close"]);
  assert.equal(dialer.dials[0]?.backendPid, 4242);
  assert.deepEqual(events, [
    {
      kind: "connection-passed",
      connectionId: 5n,
      native: "fake",
      handoffEndpoint: "/run/ho.sock",
      durationUs: 250,
    },
    { kind: "handoff-completed", connectionId: 5n, durationUs: 250 },
  ]);
});

test("a fallback is told with its stage and reason, and ends the connection once", async () => {
  const { events, handOver, token, books } = deskOver(refusedDials(1));
  const connection = await handOver(token());
  assert.deepEqual(connection.written, [REPLY]);
  assert.equal(connection.endings.length, 1);
  assert.equal(events.length, 1);
  const [event] = events;
  assert.ok(event?.kind === "handoff-fallback");
  assert.deepEqual([event.connectionId, event.stage, event.reason], [5n, "Dial", "BackendAckTimeout"]);
  assert.deepEqual([books.acks.pendingLength, books.tokens.pendingLength], [0, 0]);
});

test("a client that cannot take the reply is closed, nothing is dialled and the token is gone", async () => {
  const { dialer, events, handOver, token, books } = deskOver([new FakeControl()]);
  const connection = heldConnection();
  connection.sendNow = () => ({ ok: false, detail: "send returned EPIPE" }) as never;
  await handOver(token(), connection);
  assert.deepEqual(connection.endings, ["close"]);
  assert.deepEqual([dialer.dials.length, events.length], [0, 0]);
  assert.deepEqual([books.acks.pendingLength, books.tokens.pendingLength], [0, 0]);
});

test("when as many ACKs are awaited as can be, the reply still goes out and the client reconnects", async () => {
  const stuck = new FakeControl();
  const { abort, dialer, handOver, token, books } = deskOver([stuck, new FakeControl()], {
    pendingAcksMax: 1,
  });
  const waiting = handOver(token());
  const connection = await handOver(token());
  assert.deepEqual(connection.written, [REPLY]);
  assert.deepEqual(connection.endings, ["shutdown"]);
  assert.equal(dialer.dials.length, 1);
  assert.deepEqual([books.acks.pendingLength, books.tokens.pendingLength], [1, 1], "the first one's only");
  abort.abort(new Error("stop"));
  await waiting;
  assert.deepEqual([books.acks.pendingLength, books.tokens.pendingLength], [0, 0]);
});

test("a backend without a handoff endpoint is never handed a connection", () => {
  const { desk } = deskOver([]);
  assert.equal(desk.mayHandOver(registeredBackend(), NOTHING_EARLY), true);
  assert.equal(desk.mayHandOver(registeredBackend({ handoffEndpoint: undefined }), NOTHING_EARLY), false);
});

test("after eight failures in thirty seconds a backend's handoffs pause; other backends are not concerned", async () => {
  const { desk, handOver, token, time } = deskOver(refusedDials(9));
  const other = registeredBackend({ key: { instanceId: "shared", service: "other", version: "1.2.3" } });
  for (let failures = 0; failures < 8; failures++) {
    assert.equal(desk.mayHandOver(registeredBackend(), NOTHING_EARLY), true, `after ${failures}`);
    await handOver(token());
    time.nowMs += 100;
  }
  assert.equal(desk.mayHandOver(registeredBackend(), NOTHING_EARLY), false);
  assert.equal(desk.mayHandOver(other, NOTHING_EARLY), true);
  time.nowMs = 1_000 + 29_999;
  assert.equal(desk.mayHandOver(registeredBackend(), NOTHING_EARLY), false);
  time.nowMs = 1_000 + 30_000;
  assert.equal(desk.mayHandOver(registeredBackend(), NOTHING_EARLY), true);
});

test("a handoff that works forgets the failures before it", async () => {
  const control = new FakeControl();
  const { desk, handOver, token } = deskOver([...refusedDials(7), control, ...refusedDials(7)]);
  for (let failures = 0; failures < 7; failures++) await handOver(token());
  const good = token();
  control.incoming.push(ackFrame(good, 5n));
  await handOver(good);
  for (let failures = 0; failures < 7; failures++) await handOver(token());
  assert.equal(desk.mayHandOver(registeredBackend(), NOTHING_EARLY), true);
});

test("what the backend is not at fault for does not count: the broker's own stop", async () => {
  const { desk, handOver, token, abort } = deskOver(Array.from({ length: 8 }, () => "never" as const));
  const running = Array.from({ length: 8 }, () => handOver(token()));
  abort.abort(new Error("stop"));
  await Promise.all(running);
  assert.equal(desk.mayHandOver(registeredBackend(), NOTHING_EARLY), true);
});

test("many handoffs at once each end exactly one connection, and leave nothing in the books", async () => {
  const controls = Array.from({ length: 30 }, () => new FakeControl());
  const { handOver, token, books, events } = deskOver(controls);
  const tokens = controls.map(() => token());
  const running = tokens.map((one) => handOver(one));
  for (const [i, control] of controls.entries()) {
    if (i % 3 === 0) control.incoming.push(ackFrame(tokens[i]!, 5n));
    else if (i % 3 === 1) control.incoming.push(ackFrame(tokens[i]!, 5n, { accepted: false }));
    else control.incoming.end();
  }
  const connections = await Promise.all(running);
  for (const [i, { endings }] of connections.entries()) {
    assert.deepEqual(endings, [i % 3 === 0 ? "close" : "shutdown"], String(i));
  }
  assert.equal(events.filter(({ kind }) => kind === "handoff-completed").length, 10);
  assert.equal(events.filter(({ kind }) => kind === "handoff-fallback").length, 20);
  assert.deepEqual([books.acks.pendingLength, books.tokens.pendingLength], [0, 0]);
});
