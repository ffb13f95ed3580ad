import assert from "node:assert/strict";
import test from "node:test";
import { planRelayHandoff, readAckOf } from "../../src/handoff/relay_frames.ts";
import type { RelayHandoffEvent, RelayHandoffStep } from "../../src/handoff/relay_step.ts";
import { startRelayHandoff } from "../../src/handoff/relay_handoff.ts";
import {
  aborted,
  ACK_DEADLINE_MS,
  ackBody,
  ackFrame,
  deadline,
  dialed,
  dialFailed,
  eof,
  plan,
  play,
  readyFailed,
  readyWritten,
  request,
  sendFailed,
  sent,
  START_MS,
  words,
} from "./_relay.ts";
import { tokenBytesOf } from "./_support.ts";

type Timed = RelayHandoffEvent | [RelayHandoffEvent, number];

/** Every way to end without the ready event, from each place of the handoff. */
const failures: Record<string, Timed[]> = {
  "no backend": [dialFailed],
  "no dial in time": [[deadline, ACK_DEADLINE_MS]],
  "stopped while dialing": [aborted],
  "a partial send": [dialed, sendFailed(7)],
  "two sends without progress": [dialed, sendFailed(0), dialed, sendFailed(0)],
  "no send in time": [dialed, [deadline, ACK_DEADLINE_MS]],
  "stopped while sending": [dialed, aborted],
  "no ACK": [dialed, sent, [deadline, ACK_DEADLINE_MS]],
  "a late ACK": [dialed, sent, [ackFrame(), ACK_DEADLINE_MS]],
  "a refusal": [dialed, sent, ackFrame({ accepted: false })],
  "another handoff's ACK": [dialed, sent, ackFrame({ correlationId: 6n, token: tokenBytesOf(2) })],
  "garbage": [dialed, sent, { kind: "ack-frame", body: Uint8Array.of(9, 9) }],
  "the backend's end": [dialed, sent, eof],
  "stopped while waiting": [dialed, sent, aborted],
};

const kinds = (steps: readonly RelayHandoffStep[]) => steps.map(({ kind }) => kind);
const closes = (steps: readonly RelayHandoffStep[]) =>
  steps.flatMap((step) => step.kind === "close-connection" ? [step.how] : []);

test("rules 2 and 3: residue or early data: the broker dials nobody and closes A", () => {
  const cases = [[3, false], [0, true], [3, true]] as const;
  for (const [residueBytes, isEarlyDataAnnounced] of cases) {
    const early = planRelayHandoff({ ...request, residueBytes, isEarlyDataAnnounced });
    const { state, steps } = startRelayHandoff(early, START_MS);
    assert.equal(words(steps), "cut A, abandon, fallback");
    assert.ok(state.phase === "done" && state.outcome.kind === "fallback");
    assert.deepEqual([state.outcome.stage, state.outcome.failure], ["Plan", undefined]);
    assert.deepEqual([state.outcome.fdReachedBackend, state.outcome.owner], [false, "broker"]);
  }
});

test("rule 6: the ready event follows an ACK that accepts, matches and is in time", () => {
  assert.ok(kinds(play([dialed, sent, [ackFrame(), ACK_DEADLINE_MS - 1]]).steps).includes("write-ready"));
});

test("rule 6: after any other end the broker writes nothing on A", () => {
  for (const [name, events] of Object.entries(failures)) {
    const { turn, steps } = play(events);
    assert.equal(turn.state.phase, "done", name);
    assert.ok(!kinds(steps).includes("write-ready"), name);
  }
});

test("rule 6: a backend that wrote the ready event itself gets no second one from the broker", () => {
  const { turn, steps } = play([dialed, sent, ackFrame({ readyRelayed: true })]);
  assert.ok(!kinds(steps).includes("write-ready"));
  assert.ok(turn.state.phase === "done");
  assert.deepEqual(turn.state.outcome, {
    kind: "handed-off",
    isReadyRelayed: true,
    channelId: undefined,
  });
});

test("rule 7: in relay mode a failure without the ready event shuts A down, then closes it", () => {
  for (const [name, events] of Object.entries(failures)) {
    assert.deepEqual(closes(play(events).steps), ["shutdown-then-close"], name);
  }
  const partial = play([dialed, sent, ackFrame(), readyFailed]);
  assert.deepEqual(closes(partial.steps), ["shutdown-then-close"]);
});

test("rule 7: once the ready event is or may be out, A is closed and never shut down", () => {
  const ack = [dialed, sent, ackFrame()];
  const cases: Timed[][] = [
    [...ack, readyWritten],
    [...ack, aborted],
    [...ack, [deadline, ACK_DEADLINE_MS]],
    [dialed, sent, ackFrame({ readyRelayed: true })],
    [dialed, sent, [ackFrame({ readyRelayed: true }), ACK_DEADLINE_MS]],
  ];
  for (const events of cases) assert.deepEqual(closes(play(events).steps), ["close"]);
});

test("rule 9: the offer leaves with the descriptor in one step, or the descriptor does not leave", () => {
  const { steps } = play([dialed]);
  const send = steps.find((step) => step.kind === "send-fd-and-offer");
  assert.deepEqual([send?.tokenBytes, send?.offerBytes], [tokenBytesOf(1), plan.offerBytes]);
  assert.ok(!kinds(play([[dialed, ACK_DEADLINE_MS]]).steps).includes("send-fd-and-offer"));
});

test("rule 10: every failure before the ready event is a fallback, never a throw", () => {
  for (const [name, events] of Object.entries(failures)) {
    const { turn } = play(events);
    assert.equal(turn.state.phase === "done" && turn.state.outcome.kind, "fallback", name);
  }
});

test("rule 11: a backend that stalls with everything open ends at the ACK deadline", () => {
  const stalled = play([dialed, sent, [deadline, ACK_DEADLINE_MS - 1]]);
  assert.equal(stalled.turn.state.phase, "await-ack");
  const ended = play([dialed, sent, [deadline, ACK_DEADLINE_MS]]);
  assert.equal(ended.turn.state.phase, "done");
  for (const step of play([dialed, sent, ackFrame()]).steps) {
    if ("deadlineMs" in step) assert.ok(step.deadlineMs <= ACK_DEADLINE_MS);
    else assert.equal(step.kind, "settle-token");
  }
});

test("rule 17: an offer of which a byte left is never made again", () => {
  for (const bytesSent of [1, 15, 16, 17, 59]) {
    const { turn, steps } = play([dialed, sendFailed(bytesSent), dialed]);
    assert.equal(kinds(steps).filter((kind) => kind === "dial").length, 1, `${bytesSent} bytes`);
    assert.ok(turn.state.phase === "done" && turn.state.outcome.kind === "fallback");
    assert.equal(turn.state.outcome.fdReachedBackend, true);
  }
});

test("rule 17: an offer of which no byte left is made again once, on a fresh control connection", () => {
  const again = play([dialed, sendFailed(0)]);
  assert.equal(words(again.steps), "dial, send-fd-and-offer, close B, dial");
  assert.equal(again.turn.state.phase, "dialing");
  const twice = play([dialed, sendFailed(0), dialed, sendFailed(0)]);
  assert.ok(twice.turn.state.phase === "done" && twice.turn.state.outcome.kind === "fallback");
  assert.equal(twice.turn.state.outcome.fdReachedBackend, false);
  assert.equal(twice.turn.state.outcome.owner, "broker");
});

test("rule 17: a send that was forbidden, or has no retries left, is not made again", () => {
  const forbidden = { ...sendFailed(0), failure: "PermissionDenied" } as RelayHandoffEvent;
  assert.equal(play([dialed, forbidden]).turn.state.phase, "done");
  const never = { ...plan, zeroProgressRetriesMax: 0 };
  assert.equal(play([dialed, sendFailed(0)], never).turn.state.phase, "done");
});

test("rule 17: a send whose progress is not known counts as one that arrived", () => {
  for (const end of [aborted, [deadline, ACK_DEADLINE_MS] as [RelayHandoffEvent, number], eof]) {
    const { state } = play([dialed, end]).turn;
    assert.ok(state.phase === "done" && state.outcome.kind === "fallback");
    assert.equal(state.outcome.fdReachedBackend, true);
  }
});

test("rule 18: an ACK has to match correlation id and token, both", () => {
  const offered = { correlationId: 5n, token: tokenBytesOf(1) };
  assert.equal(readAckOf(offered, ackBody()).kind, "accepted");
  assert.equal(readAckOf(offered, ackBody({ accepted: false })).kind, "rejected");
  const strangers = [
    { correlationId: 6n },
    { token: tokenBytesOf(2) },
    { token: new Uint8Array(0) },
    { correlationId: 6n, accepted: false },
    { token: tokenBytesOf(2), accepted: false },
  ];
  for (const fields of strangers) assert.equal(readAckOf(offered, ackBody(fields)).kind, "unmatched");
});

test("rule 19: late and repeated ACKs change nothing", () => {
  const relaying = play([dialed, sent, ackFrame(), ackFrame(), ackFrame({ accepted: false })]);
  assert.equal(relaying.turn.state.phase, "relay-ready");
  assert.equal(kinds(relaying.steps).filter((kind) => kind === "write-ready").length, 1);
  const late = play([dialed, sent, [deadline, ACK_DEADLINE_MS], [ackFrame(), ACK_DEADLINE_MS + 1]]);
  assert.ok(!kinds(late.steps).includes("write-ready"));
  assert.deepEqual(late.turn.steps, []);
});

test("rule 21: a partial send poisons the control connection: it is closed and never written again", () => {
  const { steps } = play([dialed, sendFailed(3), dialed, sent, ackFrame()]);
  assert.equal(words(steps), "dial, send-fd-and-offer, cut A, close B, abandon, fallback");
});

test("rule 24: the token is settled once on every path", () => {
  const paths = [...Object.values(failures), [dialed, sent, ackFrame(), readyWritten]];
  for (const events of [...paths, [dialed, sent, ackFrame(), readyFailed]]) {
    const settled = play(events).steps.filter(({ kind }) => kind === "settle-token");
    assert.equal(settled.length, 1);
  }
});

test("rule 25: the broker closes its copy of A once on every path", () => {
  for (const [name, events] of Object.entries(failures)) {
    const everything = play([...events, dialed, sent, ackFrame(), readyWritten, eof, aborted]);
    assert.equal(closes(everything.steps).length, 1, name);
  }
  assert.equal(closes(play([dialed, sent, ackFrame(), readyWritten, aborted, eof]).steps).length, 1);
});
