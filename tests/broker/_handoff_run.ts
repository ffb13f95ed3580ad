import assert from "node:assert/strict";
import { runRelayHandoff } from "../../src/broker/handoff_driver.ts";
import { CancelSource } from "../../src/cancel_signal.ts";
import { planRelayHandoff } from "../../src/handoff/relay_frames.ts";
import type { RelayHandoffOutcome } from "../../src/handoff/relay_plan.ts";
import type { ControlConnection } from "../../src/transport/transport.ts";
import { within } from "../support/waiting.ts";
import { booksWithToken, type Dial, FakeControl, FakeDialer, heldConnection } from "./_fake_handoff.ts";
import type { FakeClient } from "./fake_client.ts";

export const DEADLINE_MS = 5_000;

/** A handoff whose time is the test's to move, over dials that are written down. */
export function start(dials: Dial[], options: { connection?: FakeClient; keepsControlOpen?: boolean } = {}) {
  const { books, token } = booksWithToken();
  const dialer = new FakeDialer(...dials);
  const connection = options.connection ?? heldConnection();
  const signal = new CancelSource();
  const time = { nowMs: 0, stepMs: 0 };
  let passed = 0;
  const kept: { control: ControlConnection; channelId: Uint8Array }[] = [];
  books.acks.register(token, { serviceName: "svc", backendPid: 9 }, 0);
  const plan = planRelayHandoff({
    token,
    correlationId: 5n,
    serviceName: "svc",
    ackDeadlineMs: DEADLINE_MS,
    residueBytes: 0,
    isEarlyDataAnnounced: false,
    keepsControlOpen: options.keepsControlOpen ?? false,
  });
  const run = () =>
    within(
      "the handoff",
      runRelayHandoff({
        transport: dialer.transport,
        books,
        clock: () => time.nowMs += time.stepMs,
        handoffEndpoint: "/run/ho.sock",
        backendPid: 9,
        token,
        connection,
        plan,
        passed: () => passed++,
        kept: (control, channelId) => void kept.push({ control, channelId }),
        signal,
      }),
    );
  return { books, token, dialer, connection, signal, time, run, passed: () => passed, kept };
}

/** The fallback that it has to be, ended once, its token gone. */
export function checkFallback(
  started: ReturnType<typeof start>,
  outcome: RelayHandoffOutcome,
  wanted: Record<string, unknown>,
  ending: "close" | "shutdown",
): void {
  assert.ok(outcome.kind === "fallback", outcome.kind);
  const { stage, failure, fdReachedBackend, detail } = outcome;
  const { detail: words, ...facts } = wanted;
  assert.deepEqual({ stage, failure, fdReachedBackend }, facts);
  if (words instanceof RegExp) assert.match(detail, words);
  assert.deepEqual(started.connection.endings, [ending]);
  assert.equal(started.books.acks.pendingLength, 0, "no ACK is awaited any more");
  assert.equal(started.books.tokens.pendingLength, 0, "the token is revoked");
}

export function controlThatAnswers(answer: (control: FakeControl) => void): FakeControl {
  const control = new FakeControl();
  answer(control);
  return control;
}
