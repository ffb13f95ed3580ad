import assert from "node:assert/strict";
import test from "node:test";
import { nextAdoptStep } from "../../src/handoff/adopt_offer.ts";
import type { AdoptOfferEvent, AdoptOfferStep } from "../../src/handoff/adopt_step.ts";
import { HandoffToken } from "../../src/handoff/handoff_token.ts";
import { decodeHandoffOffer, encodeHandoffAck } from "../../src/wire/handoff_frames.ts";
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

const has = (steps: readonly AdoptOfferStep[], kind: string) => steps.some((step) => step.kind === kind);

function refusal(errorDetail: string, token = tokenBytesOf(1)): Uint8Array {
  return encodeHandoffAck({ token, accepted: false, errorDetail, correlationId: 5n });
}

test("rule 3: a relay-mode offer whose connection is readable already is refused", () => {
  const { turn, steps } = play([...reads(), readable, ackWritten]);
  assert.deepEqual(ackOf(steps), refusal("handoff connection has data before it is ready"));
  assert.ok(!has(steps, "serve"));
  assert.equal(outcomeOf(turn).kind, "closed");
});

test("rule 3: a relay-mode offer that carries residue is refused without a look at the connection", () => {
  const { turn, steps } = play([...reads(offerWire({ residue: Uint8Array.of(7) })), ackWritten]);
  assert.deepEqual(ackOf(steps), refusal("handoff in relay mode cannot carry early data"));
  assert.ok(!has(steps, "serve") && !has(steps, "test-connection"));
  const outcome = outcomeOf(turn);
  assert.equal(outcome.kind === "closed" && outcome.reason, "early-data");
});

test("rule 4: nothing is ever written on A: the only bytes written are the ACK's", () => {
  const { steps } = play([...reads(), empty, ackWritten]);
  assert.equal(words(steps), `receive 16, receive 5, ${afterHeader()}, serve 40, close-control, adopted`);
});

function afterHeader(): string {
  return `receive ${offerWire().length - 5}, test-connection, write-ack`;
}

test("rule 5: complete offer, then token, then hang-up test, then ACK, then the session", () => {
  const order = ["test-connection", "write-ack", "serve"];
  const { steps } = play([...reads(), empty, ackWritten]);
  assert.deepEqual(steps.map(({ kind }) => kind).filter((kind) => order.includes(kind)), order);
  const mismatch = play([...reads(offerWire({ token: tokenBytesOf(2) })), empty, ackWritten]);
  assert.ok(!has(mismatch.steps, "test-connection"), "a wrong token ends it before the test");
});

test("rule 5: a client that hung up is not served", () => {
  const { steps } = play([...reads(), hungUp, ackWritten]);
  assert.deepEqual(ackOf(steps), refusal("handoff connection was closed by the client"));
  assert.ok(!has(steps, "serve"));
});

test("rule 8: in relay mode an ACK that does not leave ends the session before it starts", () => {
  for (const end of [ackFailed, [deadline, DEADLINE_MS] as [AdoptOfferEvent, number], aborted]) {
    const { turn, steps } = play([...reads(), empty, end]);
    assert.equal(words(turn.steps).startsWith("close-fd 40, close-control"), true);
    assert.ok(!has(steps, "serve"));
  }
});

test("rule 8: the broker's end before the ACK ends it; while the ACK leaves, its write decides", () => {
  assert.equal(words(play([...reads(), eof]).turn.steps), "close-fd 40, close-control, control-eof");
  const racing = play([...reads(), empty, eof, ackWritten]);
  assert.equal(outcomeOf(racing.turn).kind, "adopted");
  const lost = play([...reads(), empty, eof, ackFailed]);
  assert.equal(outcomeOf(lost.turn).kind, "closed");
});

test("rule 9: a descriptor without a complete, valid offer is closed and never served, at every byte", () => {
  const wire = Uint8Array.from([...tokenBytesOf(1), ...offerWire()]);
  for (const end of [eof, [deadline, DEADLINE_MS] as [AdoptOfferEvent, number], aborted, peerRejected]) {
    for (let cut = 0; cut < wire.length; cut++) {
      let turn = play([]).turn;
      for (let i = 0; i < cut; i++) {
        turn = nextAdoptStep(turn.state, received(wire.slice(i, i + 1), ...(i === 0 ? [FD] : [])), 0);
      }
      const [event, nowMs] = Array.isArray(end) ? end : [end, 0] as const;
      const last = nextAdoptStep(turn.state, event, nowMs);
      const closes = last.steps.filter(({ kind }) => kind === "close-fd").length;
      assert.equal(closes, cut === 0 ? 0 : 1, `${event.kind} after ${cut} bytes`);
      assert.ok(!has(last.steps, "serve") && ackOf(last.steps) === undefined);
      assert.equal(last.state.phase, "done");
    }
  }
});

test("rule 9: an offer that does not decode is not answered", () => {
  let broken = 0;
  for (let at = 0; at < offerWire().length - 5; at++) {
    const wire = Uint8Array.from(offerWire());
    wire[5 + at] = 0xff;
    if (decodeHandoffOffer(wire.subarray(5)).ok) continue; // a byte of a value, not of the structure
    broken++;
    const { turn, steps } = play(reads(wire));
    assert.equal(ackOf(steps), undefined);
    assert.equal(words(turn.steps), "close-fd 40, close-control, invalid-offer");
  }
  assert.ok(broken >= 10, `${broken} positions break an offer`);
});

test("rule 11: progress byte by byte does not move the deadline", () => {
  const wire = Uint8Array.from([...tokenBytesOf(1), ...offerWire()]);
  let turn = play([]).turn;
  for (let i = 0; turn.state.phase !== "done"; i++) {
    const nowMs = i * 200;
    assert.ok(nowMs <= DEADLINE_MS, "still reading after the deadline");
    turn = nextAdoptStep(turn.state, received(wire.slice(i, i + 1), ...(i === 0 ? [FD] : [])), nowMs);
  }
  assert.equal(words(turn.steps), "close-fd 40, close-control, deadline");
});

test("rule 23: the backend asks for 16, 5 and n bytes, exactly, and for the rest of a short read", () => {
  const asked = (steps: readonly AdoptOfferStep[]) =>
    steps.flatMap((step) => step.kind === "receive" ? [step.bytesExact] : []);
  const n = offerWire().length - 5;
  assert.deepEqual(asked(play([...reads(), empty, ackWritten]).steps), [16, 5, n]);
  const short = [received(tokenBytesOf(1).slice(0, 9), FD), received(tokenBytesOf(1).slice(9))];
  assert.deepEqual(asked(play([...short, ...reads().slice(1)]).steps), [16, 7, 5, n]);
});

test("rule 23: more bytes, more descriptors or dropped ones than one offer has: everything is closed", () => {
  const prefix = tokenBytesOf(1);
  const bad: [AdoptOfferEvent, string][] = [
    [received(Uint8Array.from([...prefix, 1]), 40), "close-fd 40, close-control, excess-bytes"],
    [received(prefix, 40, 41), "close-fd 40, close-fd 41, close-control, unexpected-fds"],
    [
      { kind: "received", bytes: prefix, fds: [40], isControlTruncated: true },
      "close-fd 40, close-control, control-truncated",
    ],
  ];
  for (const [event, steps] of bad) assert.equal(words(play([event]).turn.steps), steps);
});

test("rule 24: the raw prefix is the expected token and the offer's the presented one", () => {
  const cases: [Uint8Array, string][] = [
    [tokenBytesOf(2), "handoff token mismatch"],
    [new Uint8Array(0), "handoff token is missing"],
    [new Uint8Array(2), "handoff token length was 2 bytes; expected 16"],
    [new Uint8Array(17), "handoff token length was 17 bytes; expected 16"],
  ];
  for (const [token, errorDetail] of cases) {
    const plan = adoptPlan();
    const { turn, steps } = play([...reads(offerWire({ token })), ackWritten], plan);
    assert.deepEqual(ackOf(steps), refusal(errorDetail, Uint8Array.from(token)));
    assert.deepEqual(outcomeOf(turn), {
      kind: "closed",
      reason: "token-rejected",
      detail: errorDetail,
      isAckWritten: true,
    });
    assert.ok(words(steps).includes("close-fd 40, write-ack"), "the descriptor is closed first");
    assert.equal(plan.tokens.pendingLength, 0, "nothing is left pending");
    assert.equal(outcomeOf(play([...reads(), empty, ackWritten], plan).turn).kind, "adopted");
  }
});

test("rule 24: a token is used up by the first adoption; a replay is refused as not pending", () => {
  const plan = adoptPlan();
  assert.equal(outcomeOf(play([...reads(), empty, ackWritten], plan).turn).kind, "adopted");
  const { steps } = play([...reads(), ackWritten], plan);
  assert.deepEqual(ackOf(steps), refusal("handoff token is not pending"));
  assert.ok(!has(steps, "serve"));
});

test("rule 24: a token that is pending elsewhere is left alone", () => {
  const plan = adoptPlan();
  const token = HandoffToken.fromBytes(tokenBytesOf(1));
  assert.ok(token !== undefined && plan.tokens.register(token, 0).ok);
  const { steps } = play([...reads(), ackWritten], plan);
  assert.deepEqual(ackOf(steps), refusal("handoff token store error: handoff token is pending already"));
  assert.equal(plan.tokens.revoke(token), true);
});
