import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import type { BrokerEvent } from "../../../src/broker/broker_event.ts";
import { HandoffDesk } from "../../../src/broker/handoff_desk.ts";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { HandoffAckRegistry } from "../../../src/handoff/ack_registry.ts";
import { CAPABILITY_EARLY_DATA, CAPABILITY_REPEATABLE } from "../../../src/wire/constants.ts";
import { NegotiatedSchema } from "../../../src/wire/gen/broker_v1_envelope_pb.ts";
import { EXTENSION_KEEP_OPEN } from "../../../src/wire/handoff_extension.ts";
import { encodeHandoffAck } from "../../../src/wire/handoff_frames.ts";
import { issued, tokenStore } from "../../handoff/_support.ts";
import { until } from "../../support/waiting.ts";
import { pattern } from "../../transport/_transport.ts";
import { type Dial, FakeControl, FakeDialer, heldConnection } from "../_fake_handoff.ts";
import { hello, registeredBackend } from "../_hello_values.ts";
import { pairedDoorbell } from "./_channel.ts";

export const REPLY = pattern(30);
const CHANNEL_ID = new Uint8Array(16).fill(3);
const BACKEND = registeredBackend();

/** What a client sends along with its Hello. */
export interface Sent {
  residue?: Uint8Array;
  isAnnounced?: boolean;
  isRepeatable?: boolean;
}

/** A desk over dials that are written down. */
export function deskOver(...dials: Dial[]) {
  const books = { tokens: tokenStore(), acks: new HandoffAckRegistry() };
  const dialer = new FakeDialer(...dials);
  const events: BrokerEvent[] = [];
  const time = { nowMs: 1_000 };
  const abort = new CancelSource();
  const observe = (event: BrokerEvent) => void events.push(event);
  const desk = new HandoffDesk({
    transport: dialer.transport,
    books,
    clock: () => time.nowMs,
    observe,
    abort,
  });
  let connectionId = 10n;
  /** Hands one client over. */
  const handOver = async (sent: Sent = {}, connection = heldConnection()) => {
    const token = issued(books.tokens, time.nowMs);
    const id = connectionId++;
    const capabilities = (sent.isAnnounced ? CAPABILITY_EARLY_DATA : 0n) |
      (sent.isRepeatable ? CAPABILITY_REPEATABLE : 0n);
    const negotiated = create(NegotiatedSchema, { connectionId: id });
    const said = hello({ clientCapabilities: capabilities });
    const negotiation = { kind: "negotiated", hello: said, backend: BACKEND, negotiated, token } as const;
    const residue = sent.residue ?? new Uint8Array(0);
    let answers = 0;
    const client = { connection, reply: REPLY, residue, answered: () => void answers++ };
    await desk.handOver(client, negotiation, token);
    assert.equal(answers, 1);
    return { connection, token, id };
  };
  const may = ({ residue, isAnnounced = false }: Sent = {}) =>
    desk.mayHandOver(BACKEND, { isAnnounced, residueBytes: residue?.length ?? 0 });
  return { desk, books, dialer, events, time, abort, handOver, may };
}

/** A desk with a channel to its backend, which the first handoff has opened. */
export async function warmDesk(...more: Dial[]) {
  const [passing, doorbell] = [new FakeControl(), pairedDoorbell()];
  const over = deskOver(passing, doorbell, ...more);
  const { books, events, handOver } = over;
  const passed = passing.pass.bind(passing);
  passing.pass = (connection, token, offer) => {
    passing.pass = passed;
    passing.incoming.push(keepingAck(token, 10n));
    return passed(connection, token, offer);
  };
  await handOver();
  await until("the channel", () => events.some(({ kind }) => kind === "handoff-channel"));
  assert.deepEqual([books.acks.pendingLength, books.tokens.pendingLength], [0, 0]);
  passing.passed.length = 0;
  events.length = 0;
  return { ...over, passing, doorbell };
}

/** The ACK of a backend that keeps its control connection. */
export function keepingAck(token: Uint8Array, correlationId: bigint): Uint8Array {
  const kept = { extensions: EXTENSION_KEEP_OPEN, channelId: CHANNEL_ID };
  return encodeHandoffAck({ token, accepted: true, correlationId, ...kept });
}
