import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type HandoffStream, WireHandoffDelivery } from "../../src/broker/wire_handoff_delivery.ts";
import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import { executeWindowsHandoffWithTransport } from "../../src/handoff/orchestrate_windows.ts";
import { FrameKind, type HandoffOffer } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { decodeHandoffOffer, encodeHandoffAck, encodeHandoffReady } from "../../src/wire/handoff_frames.ts";
import { issued, tokenBytesOf, tokenStore } from "../handoff/_support.ts";
import { ChunkSource } from "../wire/chunk_source.ts";

const HANDLE = 0x1f4n;
const CORRELATION_ID = 9n;

/** What a backend answers to an offer; nothing means that it hangs up. */
type Answer = (offer: HandoffOffer) => readonly Uint8Array[];

/** A backend at the other end of a delivery. */
function backendThat(answer: Answer): HandoffStream & { offers: HandoffOffer[] } {
  let source = new ChunkSource([]);
  const offers: HandoffOffer[] = [];
  return {
    offers,
    write(bytes) {
      const decoded = decodeHandoffOffer(bytes.subarray(5));
      assert.ok(decoded.ok, "the offer decodes");
      offers.push(decoded.offer);
      source = new ChunkSource(answer(decoded.offer));
      return Promise.resolve();
    },
    read: () => source.read(),
    unread: (bytes) => source.unread(bytes),
  };
}

/** Hands a connection over to it; both stores must end empty. */
async function handOver(answer: Answer, clock: () => number = () => 10) {
  const stream = backendThat(answer);
  const tokens = tokenStore();
  const acks = new HandoffAckRegistry({ ackDeadlineMs: 100 });
  const token = issued(tokens, 0);
  acks.register(token, { serviceName: "zccache", backendPid: 77 }, 0);
  const delivery = new WireHandoffDelivery({
    stream,
    serviceName: "zccache",
    correlationId: CORRELATION_ID,
    clock,
  });
  const outcome = await executeWindowsHandoffWithTransport(
    { tokens, acks },
    { pipeHandle: 0x44n, backendPid: 77, token },
    {
      duplicate: () => Promise.resolve({ ok: true, backendHandle: HANDLE }),
      deliver: (handle, offered) => delivery.deliver(handle, offered),
      awaitBackendAck: (offered, deadlineMs) => delivery.awaitBackendAck(offered, deadlineMs),
      clock,
    },
  );
  assert.equal(tokens.pendingLength + acks.pendingLength, 0);
  const replay = tokens.consumeMatching(token, token, 10);
  assert.equal(!replay.ok && replay.error.kind, "TokenNotPending");
  return { outcome, offers: stream.offers, token };
}

const accepting = ({ token, correlationId }: HandoffOffer) => ({ token, correlationId, accepted: true });

test("a handoff over frames completes, and the backend sees the offer's fields", async () => {
  const { outcome, offers, token } = await handOver((offer) => [encodeHandoffAck(accepting(offer))]);
  assert.ok(outcome.kind === "completed");
  assert.equal(outcome.backendHandle, HANDLE);
  assert.equal(offers.length, 1);
  const [offer] = offers;
  assert.deepEqual(
    [offer?.handleValue, offer?.serviceName, offer?.correlationId, offer?.token],
    [HANDLE, "zccache", CORRELATION_ID, token.toBytes()],
  );
});

describe("a handoff over frames falls back, its token revoked, when the backend", () => {
  const falling = (title: string, answer: Answer, detail: RegExp, owner: "broker" | "backend" = "backend") =>
    test(title, async () => {
      const { outcome } = await handOver(answer);
      assert.ok(outcome.kind === "fallback");
      assert.deepEqual([outcome.stage, outcome.decision.reason], ["AwaitAck", "BackendAckTimeout"]);
      assert.equal(outcome.owner, owner);
      assert.match(outcome.detail, detail);
    });
  falling(
    "refuses the offer, with its words kept",
    (offer) => [encodeHandoffAck({ ...accepting(offer), accepted: false, errorDetail: "token mismatch" })],
    /^backend refused the handoff: token mismatch$/,
    "broker",
  );
  falling(
    "echoes another token",
    (offer) => [encodeHandoffAck({ ...accepting(offer), token: tokenBytesOf(999) })],
    /token echo does not match/,
  );
  falling(
    "echoes another correlation id",
    (offer) => [encodeHandoffAck({ ...accepting(offer), correlationId: 10n })],
    /request_id 10 does not match/,
  );
  falling(
    "answers with the wrong kind of frame",
    (offer) => [encodeHandoffReady(accepting(offer))],
    /kind is not RESPONSE/,
  );
  falling("answers with garbage", () => [Uint8Array.of(1, 3, 0, 0, 0, 7, 7, 7)], /decode HandoffAck Frame/);
  falling(
    "answers with an ACK that does not decode",
    () => [encodeFramed({
      envelopeVersion: 1,
      kind: FrameKind.RESPONSE,
      payloadProtocol: 0xd0ff,
      requestId: CORRELATION_ID,
      payload: Uint8Array.of(0xff),
    })],
    /decode HandoffAck payload/,
  );
  falling("hangs up", () => [], /read HandoffAck frame: .*EOF/);
  falling(
    "hangs up in the middle of its ACK",
    (offer) => [encodeHandoffAck(accepting(offer)).subarray(0, 9)],
    /EOF/,
  );
});

test("an ACK that is read after its deadline is too late", async () => {
  let nowMs = 10;
  const { outcome } = await handOver((offer) => {
    nowMs = 100;
    return [encodeHandoffAck(accepting(offer))];
  }, () => nowMs);
  assert.ok(outcome.kind === "fallback");
  assert.equal(outcome.decision.reason, "BackendAckTimeout");
});

test("an offer that cannot be written counts as one of which something left", async () => {
  const stream: HandoffStream = {
    write: () => Promise.reject(new Error("EPIPE")),
    read: () => assert.fail("waited for an ACK"),
    unread: () => assert.fail("unread"),
  };
  const delivery = new WireHandoffDelivery({ stream, serviceName: "zccache", correlationId: 1n });
  const token = issued(tokenStore(), 0);
  assert.deepEqual(await delivery.deliver(HANDLE, token), {
    ok: false,
    detail: "failed to write HandoffOffer frame: EPIPE",
    bytesSent: 1,
  });
});

describe("awaitBackendAck() keeps its deadline against a backend that", () => {
  const DEADLINE_MS = 60;
  const giving = (title: string, read: HandoffStream["read"]) =>
    test(title, async () => {
      const stream: HandoffStream = { read, write: () => Promise.resolve(), unread: () => {} };
      const delivery = new WireHandoffDelivery({ stream, serviceName: "zccache", correlationId: 1n });
      const startMs = performance.now();
      const wait = await delivery.awaitBackendAck(issued(tokenStore(), 0), startMs + DEADLINE_MS);
      assert.ok(wait.kind === "not-observed", wait.kind);
      assert.match(wait.detail, /nothing came within/);
      assert.ok(performance.now() - startMs >= DEADLINE_MS - 5);
    });
  giving("says nothing", (signal) => {
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  });
  const trickle = [Uint8Array.of(1), Uint8Array.of(200, 0, 0, 0)];
  giving("trickles byte by byte", () => {
    return new Promise((resolve) => {
      setTimeout(() => resolve(trickle.shift() ?? Uint8Array.of(8)), 2);
    });
  });
});
