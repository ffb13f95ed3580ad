import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { nextAdoptStep, startAdoptOffer } from "../../src/handoff/adopt_offer.ts";
import type { AdoptOfferEvent, AdoptOfferTurn } from "../../src/handoff/adopt_step.ts";
import { nextHandoffStep, startRelayHandoff } from "../../src/handoff/relay_handoff.ts";
import type { RelayHandoffEvent, RelayHandoffTurn } from "../../src/handoff/relay_step.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { adoptPlan } from "./_adopt.ts";
import { ACK_DEADLINE_MS, plan, START_MS } from "./_relay.ts";

/** One control connection: what is under way on it, and the backend at its other end. */
class Control {
  toBackend: number[] = [];
  fdAtOffset: number | undefined;
  toBroker: Uint8Array | undefined;
  isBrokerEndOpen = true;
  isBackendEndOpen = true;
  ackUnderWay: Uint8Array | undefined;
  isTesting = false;
  wanted = 0;
  backend: AdoptOfferTurn;

  constructor(backend: AdoptOfferTurn) {
    this.backend = backend;
  }
}

/** A broker and its backends over connections in memory, with one client's connection A between them. */
class World {
  nowMs = START_MS;
  readonly adoption = { ...adoptPlan(), deadlineMs: ACK_DEADLINE_MS + 500 };
  broker: RelayHandoffTurn;
  controls: Control[] = [];
  current: Control | undefined;
  pending: "dial" | "send" | "ready" | undefined;
  copies = { broker: 1, flying: 0, backend: 0 };
  sessions = 0;
  isCut = false;
  isReadyWritten = false;
  wasInterrupted = false;

  constructor() {
    this.broker = startRelayHandoff(plan, this.nowMs);
    this.obeyBroker();
  }

  tellBroker(event: RelayHandoffEvent): void {
    this.broker = nextHandoffStep(this.broker.state, event, this.nowMs);
    this.obeyBroker();
  }

  obeyBroker(): void {
    for (const step of this.broker.steps) {
      if (step.kind === "dial") this.pending = "dial";
      if (step.kind === "send-fd-and-offer") this.pending = "send";
      if (step.kind === "write-ready") this.pending = "ready";
      if (step.kind === "close-control") {
        if (this.current !== undefined) this.current.isBrokerEndOpen = false;
        this.current = undefined;
        this.pending = undefined;
      }
      if (step.kind === "close-connection") {
        this.copies.broker--;
        this.isCut ||= step.how === "shutdown-then-close";
      }
    }
  }

  tellBackend(control: Control, event: AdoptOfferEvent): void {
    control.backend = nextAdoptStep(control.backend.state, event, this.nowMs);
    this.obeyBackend(control);
  }

  obeyBackend(control: Control): void {
    control.wanted = 0;
    for (const step of control.backend.steps) {
      if (step.kind === "receive") control.wanted = step.bytesExact;
      if (step.kind === "test-connection") control.isTesting = true;
      if (step.kind === "write-ack") control.ackUnderWay = step.bytes;
      if (step.kind === "close-fd") this.copies.backend--;
      if (step.kind === "serve") this.sessions++;
      if (step.kind !== "close-control") continue;
      control.isBackendEndOpen = false;
      control.ackUnderWay = undefined;
      control.isTesting = false;
      this.copies.flying -= control.fdAtOffset === undefined ? 0 : 1;
      control.fdAtOffset = undefined;
    }
  }

  send(bytesSent: number): void {
    const control = this.current!;
    const wire = [...plan.token.toBytes(), ...plan.offerBytes];
    const left = control.isBackendEndOpen ? Math.min(bytesSent, wire.length) : 0;
    if (left > 0) {
      control.toBackend = wire.slice(0, left);
      control.fdAtOffset = 0;
      this.copies.flying++;
    }
    this.pending = undefined;
    const failed = {
      kind: "send-failed",
      bytesSent: left,
      failure: "BackendAckTimeout",
      detail: "EPIPE",
    } as const;
    this.tellBroker(left === wire.length ? { kind: "sent" } : failed);
  }

  receive(control: Control, bytesMax: number): void {
    const bytes = control.toBackend.splice(0, Math.min(control.wanted, bytesMax));
    const fds = control.fdAtOffset === undefined ? [] : [9];
    this.copies.flying -= fds.length;
    this.copies.backend += fds.length;
    control.fdAtOffset = undefined;
    this.tellBackend(control, {
      kind: "received",
      bytes: Uint8Array.from(bytes),
      fds,
      isControlTruncated: false,
    });
  }

  writeAck(control: Control, isWhole: boolean): void {
    const ack = control.ackUnderWay!;
    control.ackUnderWay = undefined;
    if (isWhole && control.isBrokerEndOpen) control.toBroker = ack;
    const isWritten = control.toBroker !== undefined;
    this.tellBackend(control, isWritten ? { kind: "ack-written" } : { kind: "ack-failed", detail: "EPIPE" });
  }

  /** Everything that may happen next; `pick` decides how much of it where that is open. */
  moves(pick: number): (() => void)[] {
    const moves: (() => void)[] = [];
    if (this.pending === "dial") {
      moves.push(() => {
        this.current = new Control(startAdoptOffer(this.adoption));
        this.controls.push(this.current);
        this.obeyBackend(this.current);
        this.pending = undefined;
        this.tellBroker({ kind: "dialed" });
      });
    }
    if (this.pending === "send") {
      moves.push(
        () => this.send(Infinity),
        () => this.send(pick % 3 === 0 ? [0, 0, 3, 16, 30][pick % 5]! : Infinity),
      );
    }
    if (this.pending === "ready") moves.push(() => this.writeReady(true), () => this.writeReady(false));
    for (const control of this.controls) moves.push(...this.controlMoves(control, pick));
    if (moves.length === 0 || pick % 11 === 0) {
      moves.push(() => this.pass(pick % 97 === 0 ? ACK_DEADLINE_MS : 1));
    }
    if (pick % 61 === 0) moves.push(() => this.stopBroker());
    return moves;
  }

  controlMoves(control: Control, pick: number): (() => void)[] {
    const moves: (() => void)[] = [];
    if (control.wanted > 0 && control.toBackend.length > 0) {
      moves.push(() => this.receive(control, Infinity), () => this.receive(control, 1 + pick % 20));
    } else if (control.wanted > 0 && !control.isBrokerEndOpen) {
      moves.push(() => this.tellBackend(control, { kind: "control-eof" }));
    }
    if (control.isTesting) {
      moves.push(() => {
        control.isTesting = false;
        this.tellBackend(control, { kind: "connection-readable", state: this.isCut ? "eof" : "empty" });
      });
    }
    if (control.ackUnderWay !== undefined) {
      moves.push(() => this.writeAck(control, true), () => this.writeAck(control, pick % 7 !== 0));
    }
    if (control === this.current && control.toBroker !== undefined) {
      const body = control.toBroker.subarray(FRAME_HEADER_BYTES);
      moves.push(() => {
        control.toBroker = undefined;
        this.tellBroker({ kind: "ack-frame", body });
      });
    } else if (control === this.current && !control.isBackendEndOpen && this.pending === undefined) {
      moves.push(() => this.tellBroker({ kind: "control-eof" }));
    }
    if (pick % 67 === 0) moves.push(() => this.tellBackend(control, { kind: "aborted" }));
    return moves;
  }

  writeReady(isWhole: boolean): void {
    this.pending = undefined;
    this.isReadyWritten ||= isWhole;
    this.tellBroker(isWhole ? { kind: "ready-written" } : { kind: "ready-failed", detail: "EAGAIN" });
  }

  stopBroker(): void {
    this.wasInterrupted ||= this.broker.state.phase === "relay-ready";
    this.tellBroker({ kind: "aborted" });
  }

  pass(waitMs: number): void {
    this.nowMs += waitMs;
    this.wasInterrupted ||= this.broker.state.phase === "relay-ready" && waitMs > 1;
    this.tellBroker({ kind: "deadline" });
    for (const control of this.controls) this.tellBackend(control, { kind: "deadline" });
  }

  check(): void {
    const { broker, flying, backend } = this.copies;
    assert.ok(broker >= 0 && flying >= 0 && backend >= 0, "I5: nothing is closed twice");
    assert.ok(this.sessions <= 1, "I1, I2: one session at most");
    assert.ok(!(this.isReadyWritten && this.isCut), "an adopted client is never cut");
  }

  finish(): void {
    this.stopBroker();
    this.pass(2 * ACK_DEADLINE_MS);
    this.check();
    assert.equal(this.broker.state.phase, "done");
    assert.deepEqual(this.copies, { broker: 0, flying: 0, backend: this.sessions }, "I5");
    if (this.isReadyWritten) assert.equal(this.sessions, 1, "the ready event promises a session");
    else if (this.sessions === 1) {
      assert.ok(this.isCut || this.wasInterrupted, "a session without it is cut off");
    }
  }
}

test("I1-I5: broker and backend agree on who serves A, in any order of events and faults", () => {
  const ends = new Set<string>();
  const choice = fc.tuple(fc.nat(100), fc.integer({ min: 1, max: 10_000 }));
  const history = fc.array(choice, { minLength: 12, maxLength: 40, size: "max" });
  fc.assert(
    fc.property(history, (choices) => {
      const world = new World();
      for (const [choice, pick] of choices) {
        const moves = world.moves(pick);
        moves[choice % moves.length]!();
        world.check();
      }
      world.finish();
      ends.add(world.isReadyWritten ? "adopted" : world.sessions === 1 ? "cut off" : "not served");
      if (world.controls.length > 1) ends.add("tried again");
    }),
    { numRuns: 500 },
  );
  assert.deepEqual([...ends].sort(), ["adopted", "cut off", "not served", "tried again"]);
});
