import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WARM_RETRY_MS } from "../../../src/broker/warm/warm_channels.ts";
import type { PassOutcome } from "../../../src/transport/transport.ts";
import { FRAME_HEADER_BYTES } from "../../../src/wire/constants.ts";
import { EARLY_DATA_BYTES_MAX, EXTENSION_KEEP_OPEN } from "../../../src/wire/handoff_extension.ts";
import { decodeHandoffOffer } from "../../../src/wire/handoff_frames.ts";
import { turns, until } from "../../support/waiting.ts";
import { pattern } from "../../transport/_transport.ts";
import { ackFrame, FakeControl, heldConnection } from "../_fake_handoff.ts";
import { registeredBackend } from "../_hello_values.ts";
import { deskOver, keepingAck, REPLY, warmDesk } from "./_desk.ts";
import { pairedDoorbell } from "./_channel.ts";

const EARLY = { residue: pattern(40), isAnnounced: true };

describe("rules 2 and 3: a backend that is not known to take early data", () => {
  test("gets no connection with any, and is asked once, with a connection that is nobody's", async () => {
    const control = new FakeControl();
    const { may, dialer, events } = deskOver(control);
    for (let i = 0; i < 50; i++) assert.equal(may(EARLY), false);
    assert.equal(may({ isAnnounced: true }), false, "also when it has not been seen yet");
    await until("the offer", () => control.passed.length > 0);
    assert.deepEqual([dialer.dials.length, dialer.pairs.length, control.passed.length], [1, 1, 1]);
    const decoded = decodeHandoffOffer(control.passed[0]!.offer.subarray(FRAME_HEADER_BYTES));
    assert.ok(decoded.ok);
    assert.deepEqual([decoded.offer.extensions, decoded.offer.residue.length], [EXTENSION_KEEP_OPEN, 0]);
    control.incoming.end();
    await until("the end of both", () => dialer.pairs[0]!.kept.endings.length > 0);
    assert.deepEqual(dialer.pairs[0]!.kept.endings, ["close"]);
    assert.equal(dialer.pairs[0]!.passed.endings.length, 1);
    assert.equal(
      events.some(({ kind }) => kind === "handoff-fallback"),
      false,
      "nobody has to reconnect for it",
    );
  });

  test("is asked again after some time, not with every Hello", async () => {
    const { may, dialer, time } = deskOver({ errno: "ECONNREFUSED" }, { errno: "ECONNREFUSED" });
    for (let i = 0; i < 5; i++) may(EARLY);
    await turns(2);
    time.nowMs += WARM_RETRY_MS - 1;
    may(EARLY);
    await turns(1);
    assert.equal(dialer.dials.length, 1);
    time.nowMs += 1;
    may(EARLY);
    await until("the second", () => dialer.dials.length === 2);
  });

  test("that keeps the connection open takes early data from then on", async () => {
    const control = new FakeControl();
    const { may, books, events, dialer, abort } = deskOver(control, pairedDoorbell());
    control.pass = (_connection, token) => {
      control.incoming.push(keepingAck(token, 0n));
      return { ok: true };
    };
    assert.equal(may(EARLY), false);
    await until("the channel", () => events.some(({ kind }) => kind === "handoff-channel"));
    assert.equal(may(EARLY), true);
    assert.equal(dialer.pairs[0]!.kept.endings.length, 1);
    assert.deepEqual([books.acks.pendingLength, books.tokens.pendingLength], [0, 0]);
    abort.abort(new Error("stop"));
  });

  test("cannot be asked without descriptors, and that ends nothing", async () => {
    const { may, dialer, books } = deskOver();
    dialer.hasNoDescriptors = true;
    assert.equal(may(EARLY), false);
    await turns(2);
    assert.equal(dialer.dials.length, 0);
    assert.equal(books.tokens.pendingLength, 0, "the token is given back");
  });

  test("is not asked by bytes that were not announced, which only keep their connection from it", async () => {
    const { may, dialer } = deskOver();
    assert.equal(may({ residue: pattern(3) }), false);
    assert.equal(may(), true);
    await turns(1);
    assert.equal(dialer.dials.length, 0);
  });

  test("is not asked when it takes no handoffs", async () => {
    const { desk, dialer } = deskOver();
    const early = { isAnnounced: true, residueBytes: 3 };
    assert.equal(desk.mayHandOver(registeredBackend({ handoffEndpoint: undefined }), early), false);
    assert.equal(desk.mayHandOver(registeredBackend({ adopted: true }), early), false);
    await turns(1);
    assert.equal(dialer.dials.length, 0);
  });
});

test("rule 22: until an ACK has honoured the channel, every connection has a dial and an offer of its own", async () => {
  const controls = Array.from({ length: 4 }, () => new FakeControl());
  const { handOver, may, abort } = deskOver(...controls);
  const running = controls.map(() => handOver());
  await until("the offers", () => controls.every(({ passed }) => passed.length > 0));
  assert.deepEqual(controls.map(({ passed }) => passed.length), [1, 1, 1, 1]);
  const asks = controls.map(({ passed }) =>
    decodeHandoffOffer(passed[0]!.offer.subarray(FRAME_HEADER_BYTES))
  );
  const extensions = asks.map((decoded) => decoded.ok && decoded.offer.extensions);
  assert.deepEqual(
    extensions,
    [EXTENSION_KEEP_OPEN, 0n, 0n, 0n],
    "one asks for the channel, the others wait for nothing",
  );
  assert.equal(may(), true, "nor does anybody wait to be offered");
  abort.abort(new Error("stop"));
  await Promise.all(running);
});

describe("a backend with a channel", () => {
  test("rule 16: hears of a client behind the reply, without a dial, and the broker keeps no copy", async () => {
    const { handOver, passing, dialer, events, books, abort } = await warmDesk();
    const connection = heldConnection();
    const passed = passing.pass.bind(passing);
    passing.pass = (...call) => {
      assert.deepEqual(connection.written, [REPLY], "the reply was written first, and by the broker");
      assert.deepEqual(connection.endings, []);
      return passed(...call);
    };
    await handOver({ ...EARLY, isRepeatable: true }, connection);
    assert.deepEqual([connection.written, connection.endings], [[REPLY], ["close"]]);
    const decoded = decodeHandoffOffer(passing.passed[0]!.offer.subarray(FRAME_HEADER_BYTES));
    assert.ok(decoded.ok);
    assert.deepEqual([decoded.offer.residue, decoded.offer.extensions], [EARLY.residue, 11n]);
    assert.equal(dialer.dials.length, 2, "those that opened the channel");
    assert.deepEqual(events.map(({ kind }) => kind), ["connection-passed"]);
    assert.equal(books.tokens.pendingLength, 0);
    abort.abort(new Error("stop"));
  });

  test("is told complete when its ACK comes, and a refusal is a fallback that does not count against it", async () => {
    const { handOver, doorbell, events, may, abort } = await warmDesk();
    for (let i = 0; i < 10; i++) {
      const { token, id } = await handOver();
      doorbell.incoming.push(ackFrame(token, id, { readyRelayed: true, accepted: i === 0 }));
    }
    const ends = () => events.filter(({ kind }) => kind !== "connection-passed").map(({ kind }) => kind);
    await until("the ACKs", () => ends().length === 10);
    assert.deepEqual(ends(), ["handoff-completed", ...Array(9).fill("handoff-fallback")]);
    assert.equal(may(EARLY), true);
    abort.abort(new Error("stop"));
  });

  test("takes early data up to the bound, and none beyond", async () => {
    const { may, abort } = await warmDesk();
    assert.equal(may({ residue: pattern(EARLY_DATA_BYTES_MAX), isAnnounced: true }), true);
    assert.equal(may({ residue: pattern(EARLY_DATA_BYTES_MAX + 1), isAnnounced: true }), false);
    assert.equal(may({ residue: pattern(EARLY_DATA_BYTES_MAX + 1) }), false);
    assert.equal(may({ residue: pattern(3) }), false, "rule 3: nor any that was not announced");
    abort.abort(new Error("stop"));
  });

  test("rule 17: a full channel has taken nothing: without early data a dial is made, with it the client is closed", async () => {
    const relayed = new FakeControl();
    const { handOver, passing, dialer, events, abort } = await warmDesk(relayed);
    const full: PassOutcome = { ok: false, kind: "WouldBlock", detail: "EAGAIN", reachedBackend: false };
    passing.outcome = full;
    const early = await handOver(EARLY);
    assert.deepEqual([early.connection.written, early.connection.endings], [[REPLY], ["close"]]);
    assert.deepEqual(events.map(({ kind }) => kind), ["handoff-fallback"]);
    assert.equal(dialer.dials.length, 2);
    relayed.incoming.end();
    const plain = await handOver();
    assert.equal(dialer.dials.length, 3, "a dial of its own");
    assert.equal(relayed.passed.length, 1);
    assert.equal(plain.connection.endings.length, 1);
    abort.abort(new Error("stop"));
  });

  test("rule 17: an offer of which a byte may have left is never made again; the client is closed, the channel too", async () => {
    const { handOver, passing, doorbell, dialer, events, books } = await warmDesk(new FakeControl());
    passing.outcome = { ok: false, kind: "SendFailed", detail: "offer not sent", reachedBackend: true };
    const { connection } = await handOver();
    assert.deepEqual(connection.endings, ["close"], "rule 7: never shut down: it may be adopted");
    assert.equal(dialer.dials.length, 2, "nobody else is offered it");
    assert.deepEqual([passing.calls.close, doorbell.calls.close], [1, 1]);
    assert.deepEqual(events.map(({ kind }) => kind).sort(), ["handoff-channel-lost", "handoff-fallback"]);
    assert.equal(books.tokens.pendingLength, 0);
  });

  test("that closes the channel has failed once, however many were under way, and gets another", async () => {
    const { handOver, passing, doorbell, events, may } = await warmDesk();
    for (let i = 0; i < 30; i++) await handOver();
    doorbell.incoming.end();
    await until(
      "the fallbacks",
      () => events.filter(({ kind }) => kind === "handoff-fallback").length === 30,
    );
    assert.equal(passing.calls.close, 1);
    assert.equal(may(), true, "handoffs do not pause");
  });

  test("is not used for a client that cannot take its reply", async () => {
    const { handOver, passing, abort, books } = await warmDesk();
    const connection = heldConnection();
    connection.sendNow = () => ({ ok: false, detail: "send returned EPIPE" }) as never;
    await handOver(EARLY, connection);
    assert.deepEqual([connection.endings, passing.passed.length], [["close"], 0]);
    assert.equal(books.tokens.pendingLength, 0);
    abort.abort(new Error("stop"));
  });

  test("loses what is under way when the broker stops", async () => {
    const { handOver, passing, doorbell, events, abort } = await warmDesk();
    await handOver();
    abort.abort(new Error("stop"));
    assert.deepEqual([passing.calls.close, doorbell.calls.close], [1, 1]);
    const kinds = events.map(({ kind }) => kind);
    assert.deepEqual(kinds, ["connection-passed", "handoff-fallback", "handoff-channel-lost"]);
  });
});
