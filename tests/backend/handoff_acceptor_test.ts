import assert from "node:assert/strict";
import { test } from "node:test";
import type { BackendEvent } from "../../src/backend/backend_event.ts";
import { makeBrokerCheck } from "../../src/backend/broker_check.ts";
import { CONTROLS_MAX, HandoffAcceptor } from "../../src/backend/handoff_acceptor.ts";
import { BrokerError } from "../../src/errors.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import type { IncomingControl } from "../../src/transport/transport.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { turns, within } from "../support/waiting.ts";
import { pattern } from "../transport/_transport.ts";
import { OFFER, OfferedConnection, OneOfferBroker, OWN_USER, TOKEN } from "./_one_offer.ts";

const TRANSPORT = {
  ownUser: OWN_USER,
  connectWithPeer: () => Promise.reject(new Error("nobody launched this backend")),
};

function acceptorWith() {
  const events: BackendEvent[] = [];
  const served: LocalStream[] = [];
  const acceptor = new HandoffAcceptor({
    checkBroker: makeBrokerCheck(TRANSPORT, undefined),
    observe: (event) => void events.push(event),
    adopted: (stream) => void served.push(stream),
  });
  const accept = (broker: IncomingControl) => within("the offer", acceptor.accept(broker));
  return { acceptor, accept, events, served };
}

/** The usual offer over a connection of its own. */
function offer(bytes: Uint8Array = concatBytes(TOKEN, OFFER)) {
  const passed = new OfferedConnection();
  return { passed, broker: new OneOfferBroker(bytes, passed) };
}

function refusalOf(events: readonly BackendEvent[]): string {
  assert.equal(events.length, 1);
  const [event] = events;
  assert.ok(event?.kind === "handoff-refused", event?.kind);
  return event.reason;
}

test("an offer is read part by part, acknowledged, adopted and served, and the control connection closed", async () => {
  const { accept, events, served } = acceptorWith();
  const { passed, broker } = offer();
  await accept(broker);
  assert.deepEqual(broker.asked, [16, FRAME_HEADER_BYTES, OFFER.length - FRAME_HEADER_BYTES]);
  assert.equal(broker.ack, "accepted");
  assert.deepEqual([passed.adopted, passed.closed], [1, 0]);
  assert.deepEqual(served, [passed.stream]);
  assert.ok(broker.closed >= 1);
  const [event] = events;
  assert.ok(event?.kind === "adopted");
  assert.deepEqual([event.correlationId, event.native, events.length], [5n, "fd 14", 1]);
  assert.ok(event.durationUs >= 0);
});

test("an offer in pieces of any size is adopted", async () => {
  for (const pieceBytes of [1, 3, 7, 16]) {
    const { accept, served } = acceptorWith();
    const { broker } = offer();
    broker.pieceBytes = pieceBytes;
    await accept(broker);
    assert.equal(served.length, 1, `pieces of ${pieceBytes}`);
  }
});

test("a broker of another user, or one that is not known, is not read from", async () => {
  for (const peer of [{ pid: 7, uid: OWN_USER + 1, gid: 1 }, { pid: 7, uid: 0, gid: 0 }, undefined]) {
    const { accept, events, served } = acceptorWith();
    const { passed, broker } = offer();
    broker.peer = peer;
    await accept(broker);
    assert.equal(refusalOf(events), "peer-rejected");
    assert.deepEqual([broker.asked.length, broker.written.length, served.length], [0, 0, 0]);
    assert.deepEqual([passed.adopted, broker.closed >= 1], [0, true]);
  }
});

test("a token is good for one connection", async () => {
  const { accept, events, served } = acceptorWith();
  await accept(offer().broker);
  const { passed, broker } = offer();
  await accept(broker);
  assert.equal(served.length, 1);
  assert.deepEqual([passed.adopted, passed.closed], [0, 1]);
  assert.match(broker.ack, /refused/);
  const last = events.at(-1);
  assert.ok(last?.kind === "handoff-refused");
  assert.equal(last.reason, "token-rejected");
});

test("a connection with bytes already there, or whose client left, is refused and closed", async () => {
  const states = { readable: "early-data", eof: "connection-eof", failed: "connection-eof" } as const;
  for (const [state, reason] of Object.entries(states)) {
    const { accept, events, served } = acceptorWith();
    const { passed, broker } = offer();
    passed.waiting = state as keyof typeof states;
    await accept(broker);
    assert.equal(refusalOf(events), reason);
    assert.match(broker.ack, /backend refused the handoff/);
    assert.deepEqual([passed.adopted, passed.closed, served.length], [0, 1, 0]);
  }
});

test("an ACK that does not leave ends the session before it starts", async () => {
  const { accept, events, served } = acceptorWith();
  const { passed, broker } = offer();
  broker.sending = { ok: false, detail: "send returned EPIPE" };
  await accept(broker);
  assert.equal(refusalOf(events), "ack-failed");
  assert.deepEqual([passed.adopted, passed.closed, served.length], [0, 1, 0]);
});

test("whatever is no offer closes every connection that came with it, and is not answered", async () => {
  const [one, other] = [new OfferedConnection(), new OfferedConnection()];
  const cases: [string, OneOfferBroker, OfferedConnection[]][] = [];
  const add = (reason: string, broker: OneOfferBroker, ...passed: OfferedConnection[]) =>
    cases.push([reason, broker, passed]);
  add("missing-fd", new OneOfferBroker(concatBytes(TOKEN, OFFER)));
  add("unexpected-fds", new OneOfferBroker(concatBytes(TOKEN, OFFER), one, other), one, other);
  for (
    const [reason, bytes] of [
      ["control-eof", TOKEN.subarray(0, 9)],
      ["control-eof", concatBytes(TOKEN, OFFER.subarray(0, 9))],
      ["unsupported-framing", concatBytes(TOKEN, Uint8Array.of(2, 0, 0, 0, 0))],
      ["offer-too-large", concatBytes(TOKEN, Uint8Array.of(1, 1, 0, 2, 0))],
      ["invalid-offer", concatBytes(TOKEN, Uint8Array.of(1, 0, 0, 0, 0))],
    ] as const
  ) {
    const { passed, broker } = offer(bytes);
    add(reason, broker, passed);
  }
  const violation = offer(TOKEN);
  violation.broker.afterwards = { kind: "violation", reason: "17 descriptors" };
  add("peer-rejected", violation.broker, violation.passed);
  for (const [reason, broker, passed] of cases) {
    const { accept, events, served } = acceptorWith();
    await accept(broker);
    assert.equal(refusalOf(events), reason);
    assert.deepEqual([broker.written.length, served.length], [0, 0], reason);
    for (const connection of passed) {
      assert.deepEqual([connection.adopted, connection.closed], [0, 1], reason);
    }
    assert.ok(broker.closed >= 1);
  }
});

test("a token that is not the offer's is refused in words", async () => {
  const { accept, events } = acceptorWith();
  const { passed, broker } = offer(concatBytes(pattern(16, 1), OFFER));
  await accept(broker);
  assert.equal(refusalOf(events), "token-rejected");
  assert.match(broker.ack, /backend refused the handoff/);
  assert.equal(passed.closed, 1);
});

test("offers under way end when the backend stops", async () => {
  const { acceptor, accept, events } = acceptorWith();
  const { passed, broker } = offer(TOKEN);
  broker.afterwards = "silence";
  const accepting = accept(broker);
  await turns(1);
  acceptor.stop();
  await accepting;
  assert.equal(refusalOf(events), "aborted");
  assert.equal(passed.closed, 1);
  const late = offer();
  late.broker.receive = () => Promise.reject(new BrokerError("closed", "The backend stops"));
  await accept(late.broker);
  assert.equal(late.passed.adopted, 0);
});

test("a receive that fails is the end of its control connection, and of nothing else", async () => {
  for (const error of [new BrokerError("os", "EIO"), new Error("odd")]) {
    const { accept, events, served } = acceptorWith();
    const { broker } = offer();
    broker.receive = () => Promise.reject(error);
    await accept(broker);
    assert.equal(refusalOf(events), "control-eof");
    await accept(offer().broker);
    assert.equal(served.length, 1);
  }
});

test("a connection that no runtime can read is closed after all, and breaks nothing", async () => {
  const { accept, events, served } = acceptorWith();
  const { passed, broker } = offer();
  passed.adopt = () => {
    throw new TypeError("Unsupported fd type: UDP");
  };
  await accept(broker);
  assert.equal(passed.closed, 1);
  assert.equal(served.length, 0);
  assert.ok(broker.closed >= 1);
  const wanted = { kind: "connection-unused", origin: "handoff", detail: "Unsupported fd type: UDP" };
  assert.deepEqual(events, [wanted]);
  await accept(offer().broker);
});

test("more control connections than the bound are closed unread, and there is room again", async () => {
  const { acceptor, accept, served } = acceptorWith();
  const silent = Array.from({ length: CONTROLS_MAX }, () => {
    const { broker } = offer(TOKEN);
    broker.afterwards = "silence";
    return broker;
  });
  const waiting = silent.map((broker) => acceptor.accept(broker));
  await turns(1);
  const { broker, passed } = offer();
  await accept(broker);
  assert.deepEqual([broker.asked.length, broker.closed, passed.adopted, served.length], [0, 1, 0, 0]);
  acceptor.stop();
  await within("the end", Promise.all(waiting));
  for (const one of silent) assert.ok(one.closed >= 1);
});
