import assert from "node:assert/strict";
import { test } from "node:test";
import { dialFailure } from "../../src/broker/handoff_driver.ts";
import { BrokerError } from "../../src/errors.ts";
import type { PassOutcome } from "../../src/transport/transport.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { decodeHandoffOffer, encodeHandoffReady } from "../../src/wire/handoff_frames.ts";
import { turns } from "../support/waiting.ts";
import { ackFrame, FakeControl, heldConnection } from "./_fake_handoff.ts";
import { checkFallback, controlThatAnswers, DEADLINE_MS, start } from "./_handoff_run.ts";

test("an accepted offer: token, connection and offer leave, the ACK is booked, READY goes out, our copy is closed", async () => {
  const control = new FakeControl();
  const started = start([control]);
  control.incoming.push(ackFrame(started.token, 5n));
  assert.deepEqual(await started.run(), {
    kind: "handed-off",
    isReadyRelayed: false,
    channelId: undefined,
  });
  const [sent] = control.passed;
  assert.deepEqual(sent?.token, started.token.toBytes());
  const decoded = decodeHandoffOffer(sent!.offer.subarray(FRAME_HEADER_BYTES));
  assert.ok(decoded.ok);
  assert.deepEqual([decoded.offer.serviceName, decoded.offer.correlationId], ["svc", 5n]);
  const ready = encodeHandoffReady({ token: started.token.toBytes(), accepted: true, correlationId: 5n });
  assert.deepEqual(started.connection.written, [ready]);
  assert.deepEqual(started.connection.endings, ["close"]);
  assert.deepEqual([control.passed.length, control.calls.close, started.passed()], [1, 1, 1]);
  const dial = { endpoint: "/run/ho.sock", deadlineMs: DEADLINE_MS, backendPid: 9 };
  assert.deepEqual(started.dialer.dials, [dial]);
  assert.deepEqual([started.books.acks.pendingLength, started.books.tokens.pendingLength], [0, 0]);
});

test("an ACK in pieces is read to its end", async () => {
  const control = new FakeControl();
  const started = start([control]);
  const frame = ackFrame(started.token, 5n);
  const running = started.run();
  for (const byte of frame) {
    control.incoming.push(Uint8Array.of(byte));
    await turns(1);
  }
  assert.equal((await running).kind, "handed-off");
});

test("each way a dial fails has its stage and reason, and cuts the client so that it reconnects", async () => {
  const reasons = {
    ECONNREFUSED: "BackendAckTimeout",
    ENOENT: "BackendAckTimeout",
    EACCES: "PermissionDenied",
    EPERM: "PermissionDenied",
    ETIMEDOUT: "BackendAckTimeout",
  };
  for (const [errno, failure] of Object.entries(reasons)) {
    const started = start([{ errno }]);
    const wanted = { stage: "Dial", failure, fdReachedBackend: false, detail: new RegExp(errno) };
    checkFallback(started, await started.run(), wanted, "shutdown");
    assert.equal(started.passed(), 0);
  }
});

test("a handoff endpoint that somebody else serves is never passed a connection", async () => {
  const started = start([new BrokerError("peer-rejected", "it is served by process 10")]);
  const outcome = await started.run();
  const wanted = {
    stage: "Dial",
    failure: "IntegrityMismatch",
    fdReachedBackend: false,
    detail: /process 10/,
  };
  checkFallback(started, outcome, wanted, "shutdown");
  assert.equal(started.dialer.dials.length, 1);
});

test("a backend that refuses is not waited for, and the client reconnects", async () => {
  const control = new FakeControl();
  const started = start([control]);
  control.incoming.push(ackFrame(started.token, 5n, { accepted: false, errorDetail: "not today" }));
  const wanted = {
    stage: "AwaitAck",
    failure: "BackendAckTimeout",
    fdReachedBackend: true,
    detail: /backend refused the handoff: not today/,
  };
  checkFallback(started, await started.run(), wanted, "shutdown");
  assert.equal(control.calls.close, 1);
});

test("an answer that is not to this offer, or none at all, is as good as silence", async () => {
  const answers: [string, (control: FakeControl) => void, RegExp][] = [
    ["nonsense", (control) => control.incoming.push(Uint8Array.of(1, 1, 0, 0, 0, 0xff)), /HandoffAck/],
    ["an end", (control) => control.incoming.end(), /./],
    [
      "an end within",
      (control) => (control.incoming.push(Uint8Array.of(1, 9, 0)), control.incoming.end()),
      /./,
    ],
    ["an error", (control) => control.incoming.end(new BrokerError("closed", "reset")), /reset/],
    ["another framing", (control) => control.incoming.push(Uint8Array.of(9)), /framing/i],
  ];
  for (const [name, answer, words] of answers) {
    const started = start([controlThatAnswers(answer)]);
    const outcome = await started.run();
    const wanted = { stage: "AwaitAck", failure: "BackendAckTimeout", fdReachedBackend: true, detail: words };
    checkFallback(started, outcome, wanted, "shutdown");
    assert.equal(started.connection.written.length, 0, `${name}: no READY`);
  }
});

test("an ACK for another token or correlation id does not complete the handoff", async () => {
  for (const isOtherToken of [true, false]) {
    const control = new FakeControl();
    const started = start([control]);
    const fields = isOtherToken ? { token: new Uint8Array(16) } : {};
    control.incoming.push(ackFrame(started.token, isOtherToken ? 5n : 6n, fields));
    const wanted = { stage: "AwaitAck", failure: "BackendAckTimeout", fdReachedBackend: true };
    checkFallback(started, await started.run(), wanted, "shutdown");
  }
});

test("each way passing fails has its reason; once a byte left nobody else is offered the connection", async () => {
  const failed = (
    kind: Extract<PassOutcome, { ok: false }>["kind"],
    reachedBackend: boolean,
  ): PassOutcome => ({
    ok: false,
    kind,
    detail: `sendmsg: ${kind}`,
    reachedBackend,
  });
  const cases: [PassOutcome, string, number][] = [
    [failed("PermissionDenied", false), "PermissionDenied", 1],
    [failed("BackendSocketUnavailable", false), "BackendAckTimeout", 2],
    [failed("WouldBlock", false), "BackendAckTimeout", 2],
    [failed("SendFailed", false), "BackendAckTimeout", 2],
    [failed("SendFailed", true), "BackendAckTimeout", 1],
  ];
  for (const [outcome, failure, dials] of cases) {
    const controls = [new FakeControl(outcome), new FakeControl(outcome)];
    const started = start(controls);
    const fdReachedBackend = !outcome.ok && outcome.reachedBackend;
    const wanted = { stage: "Send", failure, fdReachedBackend, detail: /sendmsg/ };
    checkFallback(started, await started.run(), wanted, "shutdown");
    assert.equal(started.dialer.dials.length, dials, JSON.stringify(outcome));
    for (const control of controls.slice(0, dials)) assert.equal(control.calls.close, 1);
    assert.equal(started.passed(), 0);
  }
});

test("a control connection that took no byte is replaced by a fresh one, once", async () => {
  const outcome: PassOutcome = { ok: false, kind: "WouldBlock", detail: "full", reachedBackend: false };
  const [stuck, fresh] = [new FakeControl(outcome), new FakeControl()];
  const started = start([stuck, fresh]);
  fresh.incoming.push(ackFrame(started.token, 5n));
  assert.equal((await started.run()).kind, "handed-off");
  assert.deepEqual([stuck.calls.close, fresh.calls.close, started.passed()], [1, 1, 1]);
  assert.deepEqual(started.connection.endings, ["close"]);
});

test("a backend that stays silent is given up at the deadline of its ACK", async () => {
  const control = new FakeControl();
  const started = start([control]);
  started.time.nowMs = DEADLINE_MS - 20;
  const running = started.run();
  await turns(2);
  started.time.nowMs = DEADLINE_MS;
  const wanted = {
    stage: "AwaitAck",
    failure: "BackendAckTimeout",
    fdReachedBackend: true,
    detail: /no ACK before its deadline/,
  };
  checkFallback(started, await running, wanted, "shutdown");
});

test("a timer that fires a little early does not end the wait before its time", async () => {
  const started = start([new FakeControl()]);
  // The clock stands still while the timer runs and then goes on with each look at it.
  Object.assign(started.time, { nowMs: DEADLINE_MS - 10, stepMs: 0.5 });
  const wanted = { stage: "AwaitAck", failure: "BackendAckTimeout", fdReachedBackend: true };
  checkFallback(started, await started.run(), wanted, "shutdown");
  assert.ok(started.time.nowMs >= DEADLINE_MS, String(started.time.nowMs));
});

test("an ACK that comes after its deadline is too late: READY is not sent", async () => {
  const control = new FakeControl();
  const started = start([control]);
  const running = started.run();
  await turns(1);
  started.time.nowMs = DEADLINE_MS;
  control.incoming.push(ackFrame(started.token, 5n));
  const wanted = {
    stage: "AwaitAck",
    failure: "BackendAckTimeout",
    fdReachedBackend: true,
    detail: /came after its deadline/,
  };
  checkFallback(started, await running, wanted, "shutdown");
  assert.equal(started.connection.written.length, 0);
});

test("a client that cannot take READY any more is a fallback that counts against nobody", async () => {
  const connection = heldConnection();
  connection.sendNow = () => ({ ok: false, detail: "send returned EPIPE" }) as never;
  const control = new FakeControl();
  const started = start([control], { connection });
  control.incoming.push(ackFrame(started.token, 5n));
  const outcome = await started.run();
  assert.ok(outcome.kind === "fallback");
  assert.deepEqual([outcome.stage, outcome.failure, outcome.detail], [
    "Relay",
    undefined,
    "send returned EPIPE",
  ]);
  assert.equal(connection.endings.length, 1);
  assert.equal(started.books.tokens.pendingLength, 0);
});

test("a broker that stops gives the handoff up wherever it stands, and blames nobody", async () => {
  const dialing = start(["never"]);
  const dialed = dialing.run();
  await turns(1);
  dialing.signal.abort(new Error("stop"));
  checkFallback(
    dialing,
    await dialed,
    { stage: "Dial", failure: undefined, fdReachedBackend: false },
    "shutdown",
  );

  const control = new FakeControl();
  const waiting = start([control]);
  const waited = waiting.run();
  await turns(1);
  waiting.signal.abort(new Error("stop"));
  const wanted = { stage: "AwaitAck", failure: undefined, fdReachedBackend: true };
  checkFallback(waiting, await waited, wanted, "shutdown");
  assert.equal(control.calls.close, 1);
});

test("dialFailure() sorts an error by the errno of its cause", () => {
  const failure = (code: string) =>
    dialFailure(new BrokerError("os", "no", { cause: Object.assign(new Error(code), { code }) }));
  assert.equal(failure("EACCES").kind, "PermissionDenied");
  assert.equal(failure("ECONNREFUSED").kind, "BackendSocketUnavailable");
  assert.equal(dialFailure(new BrokerError("deadline", "late")).fallbackReason, "BackendAckTimeout");
});
