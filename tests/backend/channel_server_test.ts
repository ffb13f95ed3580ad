import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BackendEvent } from "../../src/backend/backend_event.ts";
import { ChannelServer } from "../../src/backend/channel_server.ts";
import { CancelSource } from "../../src/cancel_signal.ts";
import { SpentTokens } from "../../src/handoff/spent_tokens.ts";
import type { LocalStream } from "../../src/transport/local_stream.ts";
import { concatBytes } from "../../src/wire/bytes.ts";
import { createFrameDecoder } from "../../src/wire/frame_decoder.ts";
import type { HandoffAck } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import {
  EXTENSION_DIRECT_READY,
  EXTENSION_KEEP_OPEN,
  EXTENSION_REPEATABLE,
} from "../../src/wire/handoff_extension.ts";
import {
  decodeHandoffAck,
  encodeHandoffOffer,
  encodeHandoffReady,
  type HandoffOfferInit,
} from "../../src/wire/handoff_frames.ts";
import { tokenBytesOf } from "../handoff/_support.ts";
import { turns, until, within } from "../support/waiting.ts";
import { pattern } from "../transport/_transport.ts";
import { FakeStream } from "../transport/fake_stream.ts";
import { FakeControl, FakePassed } from "./_fake_control.ts";

const WARM = EXTENSION_DIRECT_READY | EXTENSION_KEEP_OPEN;
const READY = (id: number) =>
  encodeHandoffReady({ token: tokenBytesOf(id), accepted: true, correlationId: BigInt(id) });

/** A channel with its broker's ends. */
function open() {
  const passing = new FakeControl();
  const doorbell = new FakeStream();
  const events: BackendEvent[] = [];
  const served: LocalStream[] = [];
  const stop = new CancelSource();
  const server = new ChannelServer({
    passing,
    doorbell,
    spent: new SpentTokens(),
    observe: (event) => void events.push(event),
    adopted: (stream) => void served.push(stream),
    signal: stop,
  });
  const serving = server.serve();
  /** Passes a connection; its offer is what is returned. */
  const pass = (id: number, fields: HandoffOfferInit = {}, connection = new FakePassed()) => {
    passing.bring(tokenBytesOf(id), connection);
    return { connection, frame: offerOf(id, fields) };
  };
  /** Passes a connection and rings for it. */
  const offer = async (
    id: number,
    fields: HandoffOfferInit = {},
    prepare?: (connection: FakePassed) => void,
  ) => {
    const { connection, frame } = pass(id, fields);
    prepare?.(connection);
    doorbell.incoming.push(frame);
    await turns(1);
    return connection;
  };
  return {
    passing,
    doorbell,
    events,
    served,
    stop,
    serving,
    pass,
    offer,
    end: () => within("the channel's end", serving),
  };
}

function offerOf(id: number, fields: HandoffOfferInit = {}): Uint8Array {
  const right = { token: tokenBytesOf(id), serviceName: "svc", correlationId: BigInt(id), extensions: WARM };
  return encodeHandoffOffer({ ...right, ...fields });
}

/** The ACKs that have been written, in order. */
function acksOf(doorbell: FakeStream): { id: bigint; ack: HandoffAck | undefined; detail: string }[] {
  const bodies = [...createFrameDecoder().push(doorbell.sent)];
  return bodies.map((body) => {
    let id = -1n;
    const answer = decodeHandoffAck(body, (requestId) => {
      id = requestId;
      return { correlationId: requestId, token: tokenBytesOf(Number(requestId)) };
    });
    return { id, ack: answer.ok ? answer.ack : undefined, detail: answer.ok ? "" : answer.detail };
  });
}

const acked = (doorbell: FakeStream, count: number) =>
  until("the ACKs", () => acksOf(doorbell).length >= count);

describe("an offer", () => {
  test("rule 5: look, ready event, then the session, and the ACK that says so", async () => {
    const { offer, served, doorbell, events, passing, stop, end } = open();
    const connection = await offer(1, { residue: pattern(30) });
    assert.deepEqual(connection.calls, ["look", "send", "adopt"]);
    assert.deepEqual(connection.written, [READY(1)]);
    assert.deepEqual(connection.adoptedWith, { residue: pattern(30), greeting: undefined });
    assert.deepEqual(served, [connection.stream]);
    assert.equal(doorbell.written.length, 0, "nobody waits for the ACK");
    await acked(doorbell, 1);
    const [{ ack }] = acksOf(doorbell) as [ReturnType<typeof acksOf>[0]];
    assert.deepEqual([ack?.readyRelayed, ack?.extensions], [true, WARM]);
    assert.deepEqual(passing.asked, [16], "rule 23: one receive of the token's size");
    assert.deepEqual(events.map(({ kind }) => kind), ["adopted"]);
    stop.abort(new Error("stop"));
    await end();
  });

  test("rule 13: of a request that may run twice takes the ready event along with the answer", async () => {
    const { offer, served, doorbell, stop, end } = open();
    const connection = await offer(1, { residue: pattern(3), extensions: WARM | EXTENSION_REPEATABLE });
    assert.deepEqual(connection.calls, ["look", "adopt"]);
    assert.deepEqual(connection.adoptedWith, { residue: pattern(3), greeting: READY(1) });
    assert.equal(served.length, 1);
    await acked(doorbell, 1);
    assert.equal(acksOf(doorbell)[0]?.ack?.readyRelayed, true);
    stop.abort(new Error("stop"));
    await end();
  });

  test("rule 5: whose client left, or could not be told, is closed before the broker hears of it", async () => {
    const ways: [string, (connection: FakePassed) => void, string[]][] = [
      ["connection-eof", (one) => one.hungUp = true, ["look", "close"]],
      ["ready-failed", (one) => one.sending = { ok: false, detail: "send returned EPIPE" }, [
        "look",
        "send",
        "close",
      ]],
    ];
    for (const [reason, prepare, calls] of ways) {
      const { offer, served, doorbell, events, stop, end } = open();
      const connection = await offer(1, {}, prepare);
      assert.deepEqual(connection.calls, calls);
      assert.equal(served.length, 0);
      await acked(doorbell, 1);
      assert.match(acksOf(doorbell)[0]!.detail, /backend refused the handoff/);
      assert.ok(events[0]?.kind === "handoff-refused" && events[0].reason === reason);
      assert.equal((await offer(2)).calls.at(-1), "adopt", "the channel goes on");
      stop.abort(new Error("stop"));
      await end();
    }
  });

  test("rule 24: with a token that was used is refused, its connection not looked at, and the channel goes on", async () => {
    const { offer, served, doorbell, stop, end } = open();
    await offer(1);
    assert.deepEqual((await offer(1)).calls, ["close"]);
    await offer(2);
    assert.equal(served.length, 2);
    await acked(doorbell, 3);
    assert.deepEqual(acksOf(doorbell).map(({ ack }) => ack !== undefined), [true, false, true]);
    stop.abort(new Error("stop"));
    await end();
  });

  test("in pieces of any size, or many in one, each finds its own connection, in order", async () => {
    for (const pieceBytes of [1, 7, 100_000]) {
      const { pass, served, doorbell, stop, end } = open();
      const all = Array.from({ length: 5 }, (_, id) => pass(id, { residue: pattern(id + 1, id) }));
      const bytes = concatBytes(...all.map(({ frame }) => frame));
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        doorbell.incoming.push(bytes.slice(at, at + pieceBytes));
      }
      await until("all of them", () => served.length === 5);
      assert.deepEqual(served, all.map(({ connection }) => connection.stream));
      for (const [id, { connection }] of all.entries()) {
        assert.deepEqual(connection.written, [READY(id)]);
        assert.deepEqual(connection.adoptedWith?.residue, pattern(id + 1, id));
      }
      stop.abort(new Error("stop"));
      await end();
    }
  });
});

describe("rules 9, 20 and 24: offers and descriptors out of step", () => {
  const violations: Record<string, (channel: ReturnType<typeof open>, extra: FakePassed[]) => Uint8Array> = {
    "an offer without a descriptor": () => offerOf(1),
    "a descriptor of another offer": ({ pass }, extra) => (extra.push(pass(2).connection), offerOf(1)),
    "a token of another size": ({ pass }, extra) => {
      const { connection } = pass(1);
      extra.push(connection);
      return offerOf(1, { token: new Uint8Array(15) });
    },
    "an offer without a token": ({ pass }, extra) => {
      extra.push(pass(1).connection);
      return offerOf(1, { token: new Uint8Array(0) });
    },
    "two descriptors": ({ passing }, extra) => {
      extra.push(new FakePassed(), new FakePassed());
      passing.bring(tokenBytesOf(1), ...extra);
      return offerOf(1);
    },
    "bytes without a descriptor": ({ passing }) => (passing.bring(tokenBytesOf(1)), offerOf(1)),
    "a part of a token": ({ passing }, extra) => {
      extra.push(new FakePassed());
      passing.bring(tokenBytesOf(1).subarray(0, 15), ...extra);
      return offerOf(1);
    },
    "descriptors that were dropped": ({ passing }) => {
      passing.receipts.push({ kind: "violation", reason: "control data was cut off" });
      return offerOf(1);
    },
    "the end of the descriptors": ({ passing }) => (passing.receipts.push({ kind: "eof" }), offerOf(1)),
    "a frame that is no offer": ({ pass }, extra) => (extra.push(pass(1).connection), READY(1)),
    "no frame at all": () => Uint8Array.of(2, 0, 0, 0, 0),
    "a frame too long": () => Uint8Array.of(1, 1, 0, 2, 0),
  };
  for (const [title, violate] of Object.entries(violations)) {
    test(`${title}: nothing is served, everything is closed once, behind what was adopted before`, async () => {
      const channel = open();
      const { offer, passing, doorbell, served, events, end } = channel;
      await offer(9);
      const extra: FakePassed[] = [];
      const bad = violate(channel, extra);
      doorbell.incoming.push(concatBytes(bad, channel.pass(5).frame));
      await end();
      assert.deepEqual([served.length, passing.closed, doorbell.calls.close], [1, 1, 1]);
      for (const connection of extra) assert.deepEqual(connection.calls, ["close"]);
      assert.deepEqual(events.map(({ kind }) => kind), ["adopted", "handoff-refused"]);
      assert.equal((served[0] as FakeStream).calls.close, 0, "the session of before goes on");
      assert.deepEqual(acksOf(doorbell).map(({ id }) => id), [9n], "its ACK leaves still");
    });
  }

  test("a connection that nobody takes over is closed, and the channel ends", async () => {
    const { pass, doorbell, events, end } = open();
    const { connection, frame } = pass(1);
    connection.adoptLater = () => {
      throw new Error("no room");
    };
    doorbell.incoming.push(frame);
    await end();
    assert.equal(connection.calls.at(-1), "close");
    assert.ok(events[0]?.kind === "handoff-refused" && events[0].detail === "no room");
  });
});

describe("the end", () => {
  test("of the doorbell ends the descriptors too, and no session", async () => {
    const { offer, doorbell, passing, served, events, end } = open();
    await offer(1);
    doorbell.incoming.end();
    await end();
    assert.deepEqual([passing.closed, doorbell.calls.close, (served[0] as FakeStream).calls.close], [
      1,
      1,
      0,
    ]);
    assert.deepEqual(events.map(({ kind }) => kind), ["adopted"], "it is no refusal");
  });

  test("of the backend ends both, quietly", async () => {
    const { stop, doorbell, passing, events, end } = open();
    stop.abort(new Error("stop"));
    await end();
    assert.deepEqual([passing.closed, doorbell.calls.close, events.length], [1, 1, 0]);
  });

  test("rule 8: an ACK that does not leave ends no session, and the channel only when that ends", async () => {
    const { offer, doorbell, served, stop, end } = open();
    doorbell.failure = new Error("EPIPE");
    await offer(1);
    await turns(3);
    await offer(2);
    assert.equal(served.length, 2);
    for (const stream of served) assert.equal((stream as FakeStream).calls.close, 0);
    stop.abort(new Error("stop"));
    await end();
  });
});
