import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ClientConnectionParts,
  type ClientTerms,
  serveClient,
} from "../../src/broker/client_connection.ts";
import { FdPressureGuard } from "../../src/broker/limits/fd_pressure_guard.ts";
import { encodeAdminRequest } from "../../src/wire/admin_frames.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/constants.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { encodeHello } from "../../src/wire/hello.ts";
import { decodeHelloReply } from "../../src/wire/hello_reply.ts";
import type { FirstFrameReader } from "../../src/wire/first_frame_reader.ts";
import type { WaitOptions } from "../../src/transport/wait_options.ts";
import { fakeBroker, OWN_USER } from "./_client_parts.ts";
import { FakeClient } from "./fake_client.ts";

const PEER = { pid: 77, uid: OWN_USER, gid: 100 };
const HELLO = encodeHello({
  serviceName: "my-daemon",
  wantedVersion: "1.2.3",
  peerPid: 77,
  clientCapabilities: 0n,
});
const HEALTHZ = encodeAdminRequest({ verb: AdminVerb.HEALTHZ });
const TOO_MANY = { code: 4, reason: "too many", retryAfterMs: 1_000n } as const;

/** Remembers how long its first frame was waited for. */
class TimedClient extends FakeClient {
  deadlineMs: number | undefined;

  override firstFrame(reader: FirstFrameReader, options?: WaitOptions) {
    this.deadlineMs = options?.deadlineMs;
    return super.firstFrame(reader);
  }
}

async function serve(
  parts: ClientConnectionParts,
  terms: ClientTerms = {},
  bytes: Uint8Array = HELLO,
): Promise<TimedClient> {
  const client = new TimedClient(bytes, PEER);
  await serveClient(parts, client, terms);
  return client;
}

function codeOf(client: FakeClient): number {
  const reply = decodeHelloReply(client.written[0]!.subarray(FRAME_HEADER_BYTES));
  assert.notEqual(reply.kind, "failed");
  return reply.kind === "refused" ? reply.code : 0;
}

test("while descriptors are short a Hello is refused with code 9 and a hint, in an event of its own", async () => {
  const guard = new FdPressureGuard();
  const { parts, events } = fakeBroker({ fdPressure: guard });
  assert.equal(codeOf(await serve(parts)), 0);
  guard.exhausted();
  const client = await serve(parts);
  const reply = decodeHelloReply(client.written[0]!.subarray(FRAME_HEADER_BYTES));
  assert.ok(reply.kind === "refused");
  assert.deepEqual(
    [reply.code, reply.reason, reply.retryAfterMs],
    [9, "broker is low on file descriptors; retry shortly", 1_000n],
  );
  assert.equal(guard.refusedTotal, 1);
  const last = events.at(-1);
  assert.ok(last?.kind === "hello");
  assert.equal(last.code, 9);
  for (let i = 0; i < 3; i++) guard.accepted();
  assert.equal(codeOf(await serve(parts)), 0, "and served after the recovery");
});

test("while descriptors are short operators are answered, and no frame at all is refused as ever", async () => {
  const guard = new FdPressureGuard();
  guard.exhausted();
  const { parts, events } = fakeBroker({ fdPressure: guard });
  await serve(parts, {}, HEALTHZ);
  assert.equal(events.at(-1)?.kind, "admin");
  assert.equal(codeOf(await serve(parts, {}, Uint8Array.of(9, 0, 0, 0, 0))), 1);
  assert.equal(guard.refusedTotal, 0);
});

test("who comes beyond a limit has its Hello refused, and is answered as an operator", async () => {
  const { parts, events } = fakeBroker();
  assert.equal(codeOf(await serve(parts, { refusal: TOO_MANY })), 4);
  await serve(parts, { refusal: TOO_MANY }, HEALTHZ);
  assert.equal(events.at(-1)?.kind, "admin");
});

test("a broker that stops says so, whatever else there is to say", async () => {
  const guard = new FdPressureGuard();
  guard.exhausted();
  const { parts } = fakeBroker({ fdPressure: guard, isDraining: () => true });
  assert.equal(codeOf(await serve(parts, { refusal: TOO_MANY })), 5);
  const pressed = fakeBroker({ fdPressure: guard });
  assert.equal(codeOf(await serve(pressed.parts, { refusal: TOO_MANY })), 9);
});

test("one client may have less time for its first frame, and it is told when that has come", async () => {
  const { parts } = fakeBroker();
  assert.equal((await serve(parts)).deadlineMs, 1_000);
  let spoken = 0;
  const client = await serve(parts, { firstFrameDeadlineMs: 50, hasSpoken: () => spoken++ });
  assert.deepEqual([client.deadlineMs, spoken], [50, 1]);
});
