import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { READY_WRITE_MS } from "../../src/handoff/relay_plan.ts";
import { nextHandoffStep, startRelayHandoff } from "../../src/handoff/relay_handoff.ts";
import type { RelayHandoffEvent } from "../../src/handoff/relay_step.ts";
import { encodeHandoffOffer, encodeHandoffReady } from "../../src/wire/handoff_frames.ts";
import {
  aborted,
  ACK_DEADLINE_MS,
  ackFrame,
  deadline,
  dialed,
  dialFailed,
  eof,
  plan,
  play,
  readyFailed,
  readyWritten,
  sendFailed,
  sent,
  START_MS,
  words,
} from "./_relay.ts";
import { tokenBytesOf } from "./_support.ts";

const END = "cut A, close B, abandon, fallback";
const LATE_MS = ACK_DEADLINE_MS;

/** From a phase, an event at a time: the steps it causes, or none. */
type Row = readonly [event: RelayHandoffEvent, nowMs: number, steps: string];

const ignored = (...events: RelayHandoffEvent[]): Row[] => events.map((event) => [event, START_MS, ""]);

const table: { phase: string; after: RelayHandoffEvent[]; rows: Row[] }[] = [
  {
    phase: "dialing",
    after: [],
    rows: [
      [dialed, START_MS, "send-fd-and-offer"],
      [dialed, LATE_MS, END],
      [dialFailed, START_MS, "cut A, abandon, fallback"],
      [deadline, LATE_MS - 1, ""],
      [deadline, LATE_MS, END],
      [aborted, START_MS, END],
      ...ignored(sent, sendFailed(0), sendFailed(1), ackFrame(), eof, readyWritten, readyFailed),
    ],
  },
  {
    phase: "sending",
    after: [dialed],
    rows: [
      [sent, LATE_MS - 1, "await-ack"],
      [sent, LATE_MS, END],
      [sendFailed(0), LATE_MS - 1, "close B, dial"],
      [sendFailed(0), LATE_MS, END],
      [sendFailed(1), START_MS, END],
      [sendFailed(16), START_MS, END],
      [ackFrame(), START_MS, "acknowledge, write-ready"],
      [ackFrame({ accepted: false }), START_MS, END],
      [eof, START_MS, END],
      [deadline, LATE_MS - 1, ""],
      [deadline, LATE_MS, END],
      [aborted, START_MS, END],
      ...ignored(dialed, dialFailed, readyWritten, readyFailed),
    ],
  },
  {
    phase: "await-ack",
    after: [dialed, sent],
    rows: [
      [ackFrame(), LATE_MS - 1, "acknowledge, write-ready"],
      [ackFrame(), LATE_MS, END],
      [ackFrame({ readyRelayed: true }), START_MS, "acknowledge, close A, close B, handed-off"],
      [ackFrame({ readyRelayed: true }), LATE_MS, "close A, close B, abandon, fallback"],
      [ackFrame({ accepted: false }), START_MS, END],
      [ackFrame({ correlationId: 6n }), START_MS, END],
      [ackFrame({ token: tokenBytesOf(2) }), START_MS, END],
      [{ kind: "ack-frame", body: Uint8Array.of(0xff) }, START_MS, END],
      [eof, START_MS, END],
      [deadline, LATE_MS - 1, ""],
      [deadline, LATE_MS, END],
      [aborted, START_MS, END],
      ...ignored(dialed, dialFailed, sent, sendFailed(0), sendFailed(3), readyWritten, readyFailed),
    ],
  },
  {
    phase: "relay-ready",
    after: [dialed, sent, ackFrame()],
    rows: [
      [readyWritten, LATE_MS, "close A, close B, handed-off"],
      [readyFailed, START_MS, "cut A, close B, fallback"],
      [deadline, START_MS + READY_WRITE_MS - 1, ""],
      [deadline, START_MS + READY_WRITE_MS, "close A, close B, fallback"],
      [aborted, START_MS, "close A, close B, fallback"],
      ...ignored(dialed, dialFailed, sent, sendFailed(0), sendFailed(3), ackFrame(), eof),
      ...ignored(ackFrame({ accepted: false }), ackFrame({ readyRelayed: true })),
    ],
  },
  {
    phase: "done",
    after: [dialed, sent, ackFrame(), readyWritten],
    rows: ignored(
      ...[
        dialed,
        dialFailed,
        sent,
        sendFailed(0),
        ackFrame(),
        eof,
        deadline,
        aborted,
        readyWritten,
        readyFailed,
      ],
    ),
  },
];

for (const { phase, after, rows } of table) {
  describe(`relay handoff in phase ${phase}`, () => {
    for (const [row, [event, nowMs, steps]] of rows.entries()) {
      const shown = event.kind === "send-failed" ? `send-failed after ${event.bytesSent}` : event.kind;
      test(`row ${row}: ${shown} at ${nowMs}: ${steps || "nothing"}`, () => {
        const { state } = play(after).turn;
        assert.equal(state.phase, phase);
        const turn = nextHandoffStep(state, event, nowMs);
        assert.equal(words(turn.steps), steps);
        if (steps === "") assert.equal(turn.state, state);
      });
    }
  });
}

test("relay handoff sends the token's raw bytes and the frames of the protocol", () => {
  const { steps } = play([dialed, sent, [ackFrame(), 2000], readyWritten]);
  const token = tokenBytesOf(1);
  assert.deepEqual(steps, [
    { kind: "dial", deadlineMs: ACK_DEADLINE_MS },
    {
      kind: "send-fd-and-offer",
      tokenBytes: token,
      offerBytes: encodeHandoffOffer({ token, serviceName: "zccache", correlationId: 5n }),
      deadlineMs: ACK_DEADLINE_MS,
    },
    { kind: "await-ack", deadlineMs: ACK_DEADLINE_MS },
    { kind: "settle-token", how: "acknowledge" },
    {
      kind: "write-ready",
      bytes: encodeHandoffReady({ token, accepted: true, correlationId: 5n }),
      deadlineMs: 2000 + READY_WRITE_MS,
    },
    { kind: "close-connection", how: "close" },
    { kind: "close-control" },
    { kind: "done", outcome: { kind: "handed-off", isReadyRelayed: false, channelId: undefined } },
  ]);
});

test("relay handoff does not start without time for an ACK", () => {
  const { steps } = startRelayHandoff(plan, ACK_DEADLINE_MS);
  assert.equal(words(steps), "cut A, abandon, fallback");
});

test("relay handoff says stage, failure, owner and detail of each way to fail, and logs it", () => {
  const rejected = ackFrame({ accepted: false, errorDetail: "handoff token mismatch" });
  const cases: [RelayHandoffEvent[], [string, string | undefined, boolean, string, RegExp]][] = [
    [[dialFailed], ["Dial", "BackendAckTimeout", false, "broker", /ECONNREFUSED/]],
    [[aborted], ["Dial", undefined, false, "broker", /gave up/]],
    [[dialed, sendFailed(1)], ["Send", "BackendAckTimeout", true, "backend", /EPIPE/]],
    [[dialed, aborted], ["Send", undefined, true, "backend", /gave up/]],
    [[dialed, sent, eof], ["AwaitAck", "BackendAckTimeout", true, "backend", /hung up/]],
    [[dialed, sent, { kind: "control-eof", detail: "bad framing" }], [
      "AwaitAck",
      "BackendAckTimeout",
      true,
      "backend",
      /bad framing/,
    ]],
    [[dialed, sent, rejected], ["AwaitAck", "BackendAckTimeout", true, "broker", /token mismatch/]],
    [[dialed, sent, ackFrame({ correlationId: 6n })], [
      "AwaitAck",
      "BackendAckTimeout",
      true,
      "backend",
      /correlation id 5/,
    ]],
    [[dialed, sent, aborted], ["AwaitAck", undefined, true, "backend", /gave up/]],
    [[dialed, sent, ackFrame(), readyFailed], ["Relay", undefined, true, "backend", /EPIPE/]],
  ];
  for (const [events, [stage, failure, fdReachedBackend, owner, detail]] of cases) {
    const { turn, steps } = play(events);
    assert.ok(turn.state.phase === "done" && turn.state.outcome.kind === "fallback", stage);
    const { outcome } = turn.state;
    const seen = [outcome.stage, outcome.failure, outcome.fdReachedBackend, outcome.owner];
    assert.deepEqual(seen, [stage, failure, fdReachedBackend, owner]);
    assert.match(outcome.detail, detail);
    const logs = steps.filter(({ kind }) => kind === "log");
    assert.deepEqual(logs, [{ kind: "log", detail: `handoff fallback: ${outcome.detail}` }]);
  }
});
