import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { nextAdoptStep, startAdoptOffer } from "../../src/handoff/adopt_offer.ts";
import type { AdoptOfferEvent, AdoptOfferTurn } from "../../src/handoff/adopt_step.ts";
import {
  aborted,
  ackFailed,
  ackWritten,
  adoptPlan,
  deadline,
  DEADLINE_MS,
  empty,
  eof,
  hungUp,
  offerWire,
  peerRejected,
  readable,
} from "./_adopt.ts";
import { tokenBytesOf } from "./_support.ts";

/** Books the descriptors a driver holds while it obeys the steps, and fails on what it could not obey. */
class Ledger {
  readonly open = new Set<number>();
  readonly received = new Set<number>();
  served: number | undefined;
  isControlOpen = true;
  isDone = false;
  acks = 0;

  receive(fds: readonly number[]): void {
    for (const fd of fds) {
      this.open.add(fd);
      this.received.add(fd);
    }
  }

  obey({ steps }: AdoptOfferTurn): void {
    for (const step of steps) {
      assert.ok(!this.isDone || step.kind === "close-fd", `${step.kind} after the end`);
      switch (step.kind) {
        case "receive":
          assert.ok(this.isControlOpen && step.bytesExact > 0);
          break;
        case "test-connection":
          assert.ok(this.open.has(step.fd));
          break;
        case "write-ack":
          assert.ok(this.isControlOpen);
          assert.equal(++this.acks, 1);
          break;
        case "close-fd":
          assert.ok(this.open.delete(step.fd), "I5: a descriptor is closed once");
          break;
        case "serve":
          assert.ok(this.open.delete(step.fd), "I5: a served descriptor was held");
          assert.equal(this.served, undefined, "I1: one connection is served once");
          this.served = step.fd;
          break;
        case "close-control":
          assert.ok(this.isControlOpen, "I5: B is closed once");
          this.isControlOpen = false;
          break;
        case "done":
          this.isDone = true;
          assert.equal(step.outcome.kind === "adopted", this.served !== undefined);
      }
    }
    if (!this.isDone) return;
    assert.equal(this.open.size, 0, "I5: nothing is held after the end");
    assert.ok(!this.isControlOpen);
  }
}

const wires = fc.constantFrom(
  offerWire(),
  offerWire(),
  offerWire(),
  offerWire({ token: tokenBytesOf(2) }),
  offerWire({ token: new Uint8Array(3) }),
  offerWire({ residue: new Uint8Array(9) }),
  Uint8Array.of(1, 0, 0, 0, 0),
  Uint8Array.of(3, 0, 0, 0, 0),
  Uint8Array.of(1, 255, 255, 255, 0),
);
const interruptions = fc.constantFrom<AdoptOfferEvent>(
  eof,
  deadline,
  aborted,
  peerRejected,
  ackWritten,
  empty,
);
const anyAnswer = fc.constantFrom<AdoptOfferEvent>(empty, readable, hungUp, ackWritten, ackFailed, eof);
const answers = fc.oneof(
  fc.constant<AdoptOfferEvent[]>([empty, ackWritten]),
  fc.array(anyAnswer, { maxLength: 6 }),
);
const rarely = fc.nat(9).map((n) => n === 9);

test("I1, I2, I5: whatever comes on B, each descriptor is closed or served once, and a token once", () => {
  const shape = fc.record({
    wire: wires,
    cuts: fc.array(fc.nat(90), { maxLength: 5 }),
    fdsAt: fc.array(fc.nat(60), { maxLength: 1 }),
    withoutFd: rarely,
    interruption: fc.option(fc.tuple(fc.nat(30), interruptions), { freq: 2 }),
    answers,
    waitMs: fc.constantFrom(0, 0, 0, 1, DEADLINE_MS / 6),
    isControlTruncated: rarely,
  });
  const ends = new Set<string>();
  fc.assert(
    fc.property(shape, (drawn) => {
      const stream = Uint8Array.from([...tokenBytesOf(1), ...drawn.wire]);
      const ledger = new Ledger();
      const plan = adoptPlan();
      let nowMs = 0;
      let turn = startAdoptOffer(plan);
      let nextFd = 40;
      let offset = 0;
      let reads = 0;
      const take = (event: AdoptOfferEvent) => {
        nowMs += drawn.waitMs;
        if (event.kind === "received") ledger.receive(event.fds);
        turn = nextAdoptStep(turn.state, event, nowMs);
        ledger.obey(turn);
      };
      ledger.obey(turn);
      while (offset < stream.length && turn.steps.at(-1)?.kind === "receive") {
        if (drawn.interruption?.[0] === reads) take(drawn.interruption[1]);
        const step = turn.steps.at(-1);
        if (step?.kind !== "receive") break;
        const cut = drawn.cuts[reads++] ?? step.bytesExact;
        const bytes = stream.slice(offset, offset + Math.max(1, Math.min(cut, step.bytesExact)));
        const fds = offset === 0 && !drawn.withoutFd ? [nextFd++] : [];
        if (drawn.fdsAt.includes(reads)) fds.push(nextFd++);
        offset += bytes.length;
        take({ kind: "received", bytes, fds, isControlTruncated: drawn.isControlTruncated });
      }
      for (const answer of drawn.answers) take(answer);
      take({ kind: "received", bytes: new Uint8Array(0), fds: [nextFd++], isControlTruncated: false });
      take(aborted);
      assert.ok(ledger.isDone, "I9: giving up ends it from everywhere");
      assert.ok(plan.tokens.pendingLength === 0, "I2: no token stays pending");
      const state = turn.state;
      if (state.phase === "done") {
        ends.add(state.outcome.kind === "adopted" ? "adopted" : state.outcome.reason);
      }
    }),
    { numRuns: 500 },
  );
  for (
    const end of ["adopted", "token-rejected", "early-data", "unexpected-fds", "missing-fd", "invalid-offer"]
  ) {
    assert.ok(ends.has(end), `never reached "${end}"`);
  }
});
