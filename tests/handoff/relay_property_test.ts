import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { nextHandoffStep, startRelayHandoff } from "../../src/handoff/relay_handoff.ts";
import type { RelayHandoffEvent, RelayHandoffTurn } from "../../src/handoff/relay_step.ts";
import {
  aborted,
  ACK_DEADLINE_MS,
  ackFrame,
  deadline,
  dialed,
  dialFailed,
  eof,
  plan,
  readyFailed,
  readyWritten,
  sendFailed,
  sent,
  START_MS,
} from "./_relay.ts";
import { tokenBytesOf } from "./_support.ts";

/** Books what a driver owns while it obeys the steps, and fails on the first one it could not obey. */
class Ledger {
  isConnectionOpen = true;
  isDone = false;
  control: "none" | "dialing" | "open" = "none";
  dials = 0;
  bytesMayHaveLeft = false;
  sends = 0;
  settled = 0;
  readies = 0;
  isReadyOut = false;
  /** The write was under way when something else ended the handoff, or the backend wrote it unasked. */
  mayReadyBeOut = false;

  obey({ steps }: RelayHandoffTurn): void {
    for (const step of steps) {
      assert.ok(!this.isDone, `${step.kind} after the end`);
      switch (step.kind) {
        case "dial":
          assert.equal(this.control, "none");
          assert.ok(!this.bytesMayHaveLeft, "rule 17: no second offer");
          this.control = "dialing";
          this.dials++;
          break;
        case "send-fd-and-offer":
          assert.equal(this.control, "open");
          assert.ok(this.isConnectionOpen && !this.bytesMayHaveLeft);
          this.sends++;
          break;
        case "await-ack":
          assert.equal(this.control, "open");
          break;
        case "settle-token":
          this.settled++;
          break;
        case "write-ready":
          assert.ok(this.isConnectionOpen);
          this.readies++;
          break;
        case "close-connection":
          assert.ok(this.isConnectionOpen, "A is closed once");
          if (step.how === "shutdown-then-close") {
            {
              assert.ok(!this.isReadyOut && !this.mayReadyBeOut, "an adopted client is never cut");
            }
          }
          this.isConnectionOpen = false;
          break;
        case "close-control":
          assert.notEqual(this.control, "none", "B is closed once");
          this.control = "none";
          break;
        case "done":
          this.isDone = true;
          this.check(step.outcome.kind);
      }
    }
  }

  check(outcome: string): void {
    assert.ok(!this.isConnectionOpen, "I5: A is closed");
    assert.equal(this.control, "none", "I5: B is closed");
    assert.equal(this.settled, 1, "I2: the token is settled once");
    assert.ok(this.readies <= 1);
    assert.equal(outcome === "handed-off", this.isReadyOut);
  }
}

/** What a driver in this situation can report, in any order the world likes. */
function possible(ledger: Ledger, phase: string): RelayHandoffEvent[] {
  const always = [aborted, deadline];
  if (ledger.control === "dialing") return [dialed, dialFailed, dialed, ...always];
  if (phase === "relay-ready") {
    return [readyWritten, readyFailed, eof, ackFrame(), sent, sendFailed(4), ...always];
  }
  const answers = [
    ackFrame(),
    ackFrame({ readyRelayed: true }),
    ackFrame({ accepted: false }),
    ackFrame({ token: tokenBytesOf(2) }),
  ];
  if (phase === "await-ack") return [...answers, eof, ...always];
  return [
    sent,
    sent,
    sent,
    sendFailed(0),
    sendFailed(0),
    sendFailed(1),
    sendFailed(16),
    eof,
    ...answers,
    ...always,
  ];
}

/** Changes what the driver owns by what it is about to report. */
function happen(
  ledger: Ledger,
  phase: string,
  event: RelayHandoffEvent,
  world: { isTimely: boolean; isEnd: boolean },
): void {
  const { isTimely, isEnd } = world;
  if (event.kind === "dialed") ledger.control = "open";
  if (event.kind === "dial-failed") ledger.control = "none";
  if (
    phase === "sending" && !(event.kind === "send-failed" && event.bytesSent === 0) &&
    event.kind !== "deadline"
  ) {
    ledger.bytesMayHaveLeft = true;
  }
  const ack = event.kind === "ack-frame" && phase !== "relay-ready" ? plan.readAck(event.body) : undefined;
  const isRelayed = ack?.kind === "accepted" && ack.isReadyRelayed;
  if (event.kind === "ready-written" || (isRelayed && isTimely)) ledger.isReadyOut = true;
  const isInterrupted = event.kind === "aborted" || event.kind === "deadline";
  if ((phase === "relay-ready" && isEnd && isInterrupted) || isRelayed) ledger.mayReadyBeOut = true;
}

test("I1-I5: a driver can obey every step of any relay handoff, and owns nothing at its end", () => {
  const waitMs = fc.constantFrom(0, 1, 1, 1, 1, 1, 2400, ACK_DEADLINE_MS);
  const reached = new Set<string>();
  const history = fc.array(fc.tuple(waitMs, fc.nat(1000)), { minLength: 4, maxLength: 20, size: "max" });
  fc.assert(
    fc.property(history, (choices) => {
      const ledger = new Ledger();
      let nowMs = START_MS;
      let turn = startRelayHandoff({ ...plan, zeroProgressRetriesMax: 2 }, nowMs);
      ledger.obey(turn);
      for (const [waitMs, choice] of choices) {
        if (turn.state.phase === "done") break;
        nowMs += waitMs;
        const { phase } = turn.state;
        const events = possible(ledger, phase);
        const event = events[choice % events.length]!;
        const isTimely = nowMs < ACK_DEADLINE_MS;
        turn = nextHandoffStep(turn.state, event, nowMs);
        happen(ledger, phase, event, { isTimely, isEnd: turn.state.phase === "done" });
        if (turn.steps.some(({ kind }) => kind === "write-ready")) {
          assert.ok(isTimely && event.kind === "ack-frame" && plan.readAck(event.body).kind === "accepted");
        }
        ledger.obey(turn);
      }
      ledger.obey(nextHandoffStep(turn.state, aborted, nowMs));
      reached.add(ledger.isReadyOut ? "handed-off" : ledger.dials > 1 ? "retried" : "fallback");
      assert.ok(ledger.isDone, "I4, I9: giving up ends it from everywhere");
      assert.ok(ledger.dials <= 3);
    }),
    { numRuns: 400 },
  );
  assert.deepEqual([...reached].sort(), ["fallback", "handed-off", "retried"]);
});

test("relay handoff survives any event in any state: one close of A, one settled token, nothing after the end", () => {
  const event = fc.oneof(
    fc.constantFrom(
      dialed,
      dialed,
      sent,
      sent,
      eof,
      deadline,
      aborted,
      dialFailed,
      readyWritten,
      readyFailed,
    ),
    fc.nat(70).map(sendFailed),
    fc.record({ accepted: fc.boolean(), readyRelayed: fc.boolean() }).map(ackFrame),
    fc.uint8Array({ maxLength: 12 }).map((body): RelayHandoffEvent => ({ kind: "ack-frame", body })),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(7000))), (events) => {
      let turn = startRelayHandoff(plan, START_MS);
      const steps = [...turn.steps];
      for (const [each, nowMs] of [...events, [aborted, START_MS] as const]) {
        const before = turn.state;
        turn = nextHandoffStep(before, each, nowMs);
        if (before.phase === "done") assert.deepEqual(turn.steps, []);
        steps.push(...turn.steps);
      }
      const count = (kind: string) => steps.filter((step) => step.kind === kind).length;
      assert.deepEqual(["close-connection", "settle-token", "done"].map(count), [1, 1, 1]);
      assert.ok(count("write-ready") <= 1);
      assert.equal(steps.at(-1)?.kind, "done");
      const failedDials = turn.state.phase === "done" && turn.state.outcome.kind === "fallback" &&
        turn.state.outcome.stage === "Dial" && turn.state.outcome.detail === "ECONNREFUSED";
      assert.equal(count("close-control"), count("dial") - (failedDials ? 1 : 0));
    }),
    { numRuns: 300 },
  );
});
