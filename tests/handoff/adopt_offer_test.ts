import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nextAdoptStep } from "../../src/handoff/adopt_offer.ts";
import { OFFER_BODY_BYTES_MAX } from "../../src/handoff/adopt_plan.ts";
import type { AdoptOfferEvent } from "../../src/handoff/adopt_step.ts";
import { encodeHandoffAck } from "../../src/wire/handoff_frames.ts";
import {
  aborted,
  ackFailed,
  ackOf,
  ackWritten,
  adoptPlan,
  deadline,
  DEADLINE_MS,
  empty,
  eof,
  FD,
  hungUp,
  offerWire,
  outcomeOf,
  peerRejected,
  play,
  readable,
  reads,
  received,
  words,
} from "./_adopt.ts";
import { tokenBytesOf } from "./_support.ts";

const LATE = DEADLINE_MS;
const [prefix, header, body] = reads() as [AdoptOfferEvent, AdoptOfferEvent, AdoptOfferEvent];
const bodyBytes = offerWire().length - 5;
const bytes = (length: number) => new Uint8Array(length).fill(1);
const truncated: AdoptOfferEvent = {
  kind: "received",
  bytes: bytes(16),
  fds: [FD],
  isControlTruncated: true,
};

/** From a phase, an event at a time: the steps it causes, or none. */
type Row = readonly [event: AdoptOfferEvent, nowMs: number, steps: string];
const ignored = (...events: AdoptOfferEvent[]): Row[] => events.map((event) => [event, 0, ""]);

/** What ends a read, whatever it reads, with the descriptors held so far. */
const endings = (held: string): Row[] => [
  [eof, 0, `${held}close-control, control-eof`],
  [received(bytes(0)), 0, `${held}close-control, control-eof`],
  [deadline, LATE, `${held}close-control, deadline`],
  [aborted, 0, `${held}close-control, aborted`],
  [peerRejected, 0, `${held}close-control, peer-rejected`],
  [truncated, 0, `${held}close-fd 40, close-control, control-truncated`],
  [deadline, LATE - 1, ""],
  ...ignored(empty, readable, hungUp, ackWritten),
];

const table: { name: string; phase: string; after: AdoptOfferEvent[]; rows: Row[] }[] = [
  {
    name: "expect-fd-prefix with nothing received",
    phase: "expect-fd-prefix",
    after: [],
    rows: [
      [prefix, LATE - 1, "receive 5"],
      [prefix, LATE, "close-fd 40, close-control, deadline"],
      [received(bytes(10), FD), 0, "receive 6"],
      [received(bytes(10)), 0, "receive 6"],
      [received(bytes(16)), 0, "close-control, missing-fd"],
      [received(bytes(17), FD), 0, "close-fd 40, close-control, excess-bytes"],
      [received(bytes(16), 40, 41), 0, "close-fd 40, close-fd 41, close-control, unexpected-fds"],
      [received(bytes(0), FD), 0, "close-fd 40, close-control, control-eof"],
      ...endings(""),
    ],
  },
  {
    name: "expect-fd-prefix with a part of it received",
    phase: "expect-fd-prefix",
    after: [received(bytes(10), FD)],
    rows: [
      [received(bytes(6)), 0, "receive 5"],
      [received(bytes(7)), 0, "close-fd 40, close-control, excess-bytes"],
      [received(bytes(6), 41), 0, "close-fd 40, close-fd 41, close-control, unexpected-fds"],
      ...endings("close-fd 40, ").filter(([event]) => event !== truncated),
    ],
  },
  {
    name: "expect-fd-prefix with a part of it received, the descriptor still to come",
    phase: "expect-fd-prefix",
    after: [received(bytes(10))],
    rows: [
      [received(bytes(6), FD), 0, "receive 5"],
      [received(bytes(6)), 0, "close-control, missing-fd"],
    ],
  },
  {
    name: "expect-header",
    phase: "expect-header",
    after: [prefix],
    rows: [
      [header, 0, `receive ${bodyBytes}`],
      [received(offerWire().subarray(0, 3)), 0, "receive 2"],
      [received(Uint8Array.of(2, 1, 0, 0, 0)), 0, "close-fd 40, close-control, unsupported-framing"],
      [received(Uint8Array.of(1, 0, 0, 2, 0)), 0, `receive ${OFFER_BODY_BYTES_MAX}`],
      [received(Uint8Array.of(1, 1, 0, 2, 0)), 0, "close-fd 40, close-control, offer-too-large"],
      [received(Uint8Array.of(1, 0, 0, 0, 0)), 0, "close-fd 40, close-control, invalid-offer"],
      [received(bytes(5), 41), 0, "close-fd 40, close-fd 41, close-control, unexpected-fds"],
      [received(bytes(6)), 0, "close-fd 40, close-control, excess-bytes"],
      [header, LATE, "close-fd 40, close-control, deadline"],
      ...endings("close-fd 40, ").filter(([event]) => event !== truncated),
    ],
  },
  {
    name: "expect-body",
    phase: "expect-body",
    after: [prefix, header],
    rows: [
      [body, LATE - 1, "test-connection"],
      [body, LATE, "close-fd 40, close-control, deadline"],
      [received(bytes(bodyBytes - 1)), 0, "receive 1"],
      [received(bytes(bodyBytes)), 0, "close-fd 40, close-control, invalid-offer"],
      [received(bytes(bodyBytes + 1)), 0, "close-fd 40, close-control, excess-bytes"],
      [received(bytes(1), 41), 0, "close-fd 40, close-fd 41, close-control, unexpected-fds"],
      ...endings("close-fd 40, ").filter(([event]) => event !== truncated),
    ],
  },
  {
    name: "decide",
    phase: "decide",
    after: [prefix, header, body],
    rows: [
      [empty, LATE - 1, "write-ack"],
      [empty, LATE, "close-fd 40, close-control, deadline"],
      [readable, 0, "close-fd 40, write-ack"],
      [hungUp, 0, "close-fd 40, write-ack"],
      [eof, 0, "close-fd 40, close-control, control-eof"],
      [deadline, LATE, "close-fd 40, close-control, deadline"],
      [aborted, 0, "close-fd 40, close-control, aborted"],
      [peerRejected, 0, "close-fd 40, close-control, peer-rejected"],
      [received(bytes(3), 41, 42), 0, "close-fd 41, close-fd 42"],
      ...ignored(deadline, ackWritten),
    ],
  },
  {
    name: "ack that accepts",
    phase: "ack",
    after: [prefix, header, body, empty],
    rows: [
      [ackWritten, LATE, "serve 40, close-control, adopted"],
      [ackFailed, 0, "close-fd 40, close-control, ack-failed"],
      [deadline, LATE, "close-fd 40, close-control, deadline"],
      [aborted, 0, "close-fd 40, close-control, aborted"],
      [received(bytes(3), 41), 0, "close-fd 41"],
      ...ignored(deadline, eof, empty, readable, hungUp),
    ],
  },
  {
    name: "ack that refuses",
    phase: "ack",
    after: [prefix, header, body, readable],
    rows: [
      [ackWritten, 0, "close-control, early-data"],
      [ackFailed, 0, "close-control, early-data"],
      [deadline, LATE, "close-control, early-data"],
      [aborted, 0, "close-control, early-data"],
      ...ignored(deadline, eof),
    ],
  },
  {
    name: "done",
    phase: "done",
    after: [prefix, header, body, empty, ackWritten],
    rows: [
      [received(bytes(3), 41, 42), 0, "close-fd 41, close-fd 42"],
      ...ignored(eof, deadline, aborted, peerRejected, ackFailed, ackWritten, empty, received(bytes(3))),
    ],
  },
];

for (const { name, phase, after, rows } of table) {
  describe(`adopting an offer, ${name}`, () => {
    for (const [row, [event, nowMs, steps]] of rows.entries()) {
      test(`row ${row}: ${event.kind} at ${nowMs}: ${steps || "nothing"}`, () => {
        const { state } = play(after).turn;
        assert.equal(state.phase, phase);
        const turn = nextAdoptStep(state, event, nowMs);
        assert.equal(words(turn.steps), steps);
        if (steps === "") assert.equal(turn.state, state);
      });
    }
  });
}

test("adopting an offer serves the connection with the offer's fields", () => {
  const { turn, steps } = play([...reads(), empty, ackWritten]);
  const token = tokenBytesOf(1);
  assert.deepEqual(ackOf(steps), encodeHandoffAck({ token, accepted: true, correlationId: 5n }));
  const offer = {
    token,
    serviceName: "zccache",
    correlationId: 5n,
    residue: new Uint8Array(0),
    extensions: 0n,
  };
  assert.deepEqual(outcomeOf(turn), { kind: "adopted", fd: FD, offer, channelId: undefined });
  assert.deepEqual(steps.find(({ kind }) => kind === "serve"), { kind: "serve", fd: FD, offer });
});

test("adopting an offer refuses with the reason in the ACK, after the descriptor is closed", () => {
  const cases = [
    [readable, "handoff connection has data before it is ready", "early-data"],
    [hungUp, "handoff connection was closed by the client", "connection-eof"],
  ] as const;
  for (const [event, errorDetail, reason] of cases) {
    const { turn, steps } = play([...reads(), event, ackWritten]);
    assert.deepEqual(
      ackOf(steps),
      encodeHandoffAck({ token: tokenBytesOf(1), errorDetail, correlationId: 5n }),
    );
    const wanted = { kind: "closed", reason, detail: errorDetail, isAckWritten: true };
    assert.deepEqual(outcomeOf(turn), wanted);
    const lost = play([...reads(), event, ackFailed]);
    assert.deepEqual(outcomeOf(lost.turn), { ...wanted, isAckWritten: false });
  }
});

test("adopting an offer keeps no view of a buffer that the driver uses again", () => {
  const buffer = new Uint8Array(64);
  const events = reads().map((event): AdoptOfferEvent => {
    assert.ok(event.kind === "received");
    return { ...event, bytes: buffer.subarray(0, event.bytes.length) };
  });
  let { state } = play([]).turn;
  for (const [i, event] of events.entries()) {
    const original = reads()[i]!;
    assert.ok(original.kind === "received");
    buffer.set(original.bytes);
    state = nextAdoptStep(state, event, 0).state;
    buffer.fill(0xee);
  }
  assert.ok(state.phase === "decide");
  assert.deepEqual(state.offer.token, tokenBytesOf(1));
});

test("adopting an offer says what it saw", () => {
  const cases: [AdoptOfferEvent[], RegExp][] = [
    [[prefix, received(Uint8Array.of(9, 0, 0, 0, 0))], /framing version was 9; expected 1/],
    [[prefix, received(Uint8Array.of(1, 255, 255, 255, 255))], /offer of 4294967295 bytes exceeds 131072/],
    [[prefix, received(Uint8Array.of(1, 0, 0, 0, 0))], /envelope_version is not v1/],
    [[received(bytes(16), 1, 2, 3)], /3 descriptors/],
    [[received(bytes(99), 1)], /99 bytes came; asked for 16/],
    [[peerRejected], /uid 7/],
    [[prefix, header, body, empty, ackFailed], /EPIPE/],
  ];
  for (const [events, detail] of cases) {
    const outcome = outcomeOf(play(events).turn);
    assert.ok(outcome.kind === "closed");
    assert.match(outcome.detail, detail);
    assert.equal(outcome.isAckWritten, false);
  }
});

test("adopting an offer takes a limit of its own for the offer's size", () => {
  const plan = { ...adoptPlan(), offerBodyBytesMax: bodyBytes - 1 };
  assert.equal(words(play([prefix, header], plan).turn.steps), "close-fd 40, close-control, offer-too-large");
});
