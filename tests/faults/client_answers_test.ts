import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BrokerClientError, type BrokerClientErrorKind, type BrokerErrorCode } from "../../mod.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import {
  type ErrorCode,
  FrameKind,
  HelloReplySchema,
  PayloadEncoding,
} from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeRefusedReply } from "../../src/wire/hello.ts";
import { ADMIN_PAYLOAD_PROTOCOL } from "../../src/wire/payload_protocol.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { header, textBytes } from "./hostile_frames.ts";
import { requireEcho } from "./local_pair.ts";
import { type HeardClient, type ScriptedBroker, startScriptedBroker } from "./scripted_broker.ts";
import { leaveStaleSocket } from "./stale_socket.ts";
import { within } from "../support/waiting.ts";

/** How long a client may wait for a broker that says nothing. */
const PATIENCE_MS = 150;

async function requireError(
  connecting: Promise<unknown>,
  wanted: { kind: BrokerClientErrorKind; code: BrokerErrorCode; message: RegExp },
): Promise<BrokerClientError> {
  const error = await connecting.then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof BrokerClientError, `no BrokerClientError: ${String(error)}`);
  assert.deepEqual(
    { kind: error.kind, code: error.code },
    { kind: wanted.kind, code: wanted.code },
    error.message,
  );
  assert.match(error.message, wanted.message);
  return error;
}

function response(fields: Parameters<typeof encodeFramed>[0]): Uint8Array<ArrayBuffer> {
  return encodeFramed({ envelopeVersion: 1, kind: FrameKind.RESPONSE, requestId: 1n, ...fields });
}

describe("a broker that answers nonsense makes a typed error", () => {
  const answering = (
    title: string,
    kind: BrokerClientErrorKind,
    message: RegExp,
    answer: (client: HeardClient) => Uint8Array,
  ) =>
    test(title, async () => {
      await using broker = await startScriptedBroker(async (client) => {
        await client.stream.write(answer(client));
      });
      await requireError(broker.connect(), { kind, code: "protocol", message });
    });
  const negotiated = encodeMessage(HelloReplySchema, {
    result: { case: "negotiated", value: { negotiatedProtocol: 1 } },
  });
  answering("nothing and the end", "Framing", /unexpected EOF .*framing byte/, () => new Uint8Array(0));
  answering("half a header", "Framing", /unexpected EOF .*body length header/, () => Uint8Array.of(1, 9));
  answering("half a body", "Framing", /unexpected EOF .*frame body/, () => header(9, 8, 1));
  answering("text", "Framing", /unsupported framing version: got 72/, () => textBytes("HTTP/1.1 200 OK\r\n"));
  answering("a length of 2^32-1", "Framing", /frame body too large/, () => header(0xffff_ffff));
  answering("a frame of garbage", "DecodeFrame", /decode broker response Frame/, () => header(3, 7, 7, 7));
  answering(
    "an EVENT",
    "UnexpectedResponseFrame",
    /kind is not RESPONSE/,
    () => response({ kind: FrameKind.EVENT, payload: negotiated }),
  );
  answering(
    "envelope version 2",
    "UnexpectedResponseFrame",
    /envelope_version is not v1/,
    () => response({ envelopeVersion: 2, payload: negotiated }),
  );
  answering(
    "an admin frame",
    "UnexpectedResponseFrame",
    /payload_protocol is not control-plane/,
    () => response({ payloadProtocol: ADMIN_PAYLOAD_PROTOCOL, payload: negotiated }),
  );
  answering(
    "a compressed reply",
    "UnexpectedResponseFrame",
    /payload is compressed/,
    () => response({ payloadEncoding: PayloadEncoding.ZSTD, payload: negotiated }),
  );
  answering(
    "an undecodable reply",
    "DecodeHelloReply",
    /decode broker HelloReply/,
    () => response({ payload: Uint8Array.of(0xff) }),
  );
  answering("an empty reply", "MissingHelloReplyResult", /did not contain a result/, () => response({}));
  answering(
    "no endpoint",
    "EmptyBackendPipe",
    /named no endpoint/,
    (client) => client.reply({ backendPipe: "" }),
  );
});

test("a broker that resets the connection makes a typed error", async () => {
  // Unread bytes turn the close into a reset.
  await using broker = await startScriptedBroker(
    () => {},
    (stream) => void stream.write(header(99)).then(() => stream.close()),
  );
  await requireError(broker.connect(), {
    kind: "Framing",
    code: "protocol",
    message: /Cannot exchange a Hello/,
  });
});

test("a broker that names a backend that is not there makes a typed error", async () => {
  await using broker = await startScriptedBroker(async ({ stream, reply }) => {
    await stream.write(reply({ backendPipe: broker.dir.join("nobody.sock") }));
  });
  await requireError(broker.connect(), {
    kind: "BackendConnect",
    code: "os",
    message: /nobody\.sock": ENOENT/,
  });
});

test("a broker that is not there, or not any more, makes a typed error", async () => {
  await using dir = await makeTempDir();
  await using broker = await startScriptedBroker(() => {});
  const missing = broker.connect({ broker: dir.join("nobody.sock") });
  await requireError(missing, { kind: "BrokerConnect", code: "os", message: /nobody\.sock": ENOENT/ });
  await leaveStaleSocket(dir.join("dead.sock"));
  const dead = broker.connect({ broker: dir.join("dead.sock") });
  await requireError(dead, { kind: "BrokerConnect", code: "os", message: /dead\.sock": ECONNREFUSED/ });
});

test("a broker that says nothing is given up at the deadline, and told so by the end", async () => {
  let wasLeft = () => {};
  const leaving = new Promise<void>((resolve) => wasLeft = resolve);
  await using broker = await startScriptedBroker(async (client) => {
    await client.left();
    wasLeft();
  });
  const start = performance.now();
  await requireError(broker.connect({ deadlineMs: PATIENCE_MS }), {
    kind: "Deadline",
    code: "deadline",
    message: new RegExp(`within ${PATIENCE_MS} ms`),
  });
  assert.ok(performance.now() - start >= PATIENCE_MS - 5);
  await within("the end of the client", leaving);
});

describe("a refusal is typed", () => {
  const cases = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99];
  for (const code of cases) {
    test(`code ${code}`, async () => {
      await using broker = await startScriptedBroker(async ({ stream, frame }) => {
        const refusal = { code: code as ErrorCode, reason: "not today", retryAfterMs: 1_234n };
        await stream.write(encodeRefusedReply(frame, refusal));
      });
      const { refusal } = await requireError(broker.connect(), {
        kind: "Refused",
        code: "refused",
        message: /broker refused Hello: not today \(\w+, retry_after_ms=1234\)/,
      });
      const known = code === 99 ? 0 : code;
      assert.deepEqual(refusal, { code: known, reason: "not today", retryAfterMs: 1_234n });
    });
  }
});

describe("a cached endpoint", () => {
  const sendOn = async ({ stream, reply }: HeardClient) => await stream.write(reply());
  const check = async (broker: ScriptedBroker, options: object, route: string, hellos: number) => {
    await using session = await broker.connect(options);
    assert.equal(session.route, route);
    assert.equal(broker.hellos.length, hellos);
    await requireEcho(session.stream, "served");
  };

  test("that is served spares the broker", async () => {
    await using broker = await startScriptedBroker(sendOn);
    await check(broker, { cachedBackendEndpoint: broker.backendEndpoint }, "hello-skip", 0);
  });
  test("that is dead, gone or no socket path falls back to the broker", async () => {
    await using broker = await startScriptedBroker(sendOn);
    let hellos = 0;
    const dead = broker.dir.join("dead.sock");
    await leaveStaleSocket(dead);
    for (
      const cachedBackendEndpoint of [
        dead,
        broker.dir.join("gone.sock"),
        "",
        "x".repeat(300),
        broker.dir.path,
      ]
    ) {
      await check(broker, { cachedBackendEndpoint }, "broker-negotiated", ++hellos);
    }
  });
  test("of another version than the wanted one is not tried", async () => {
    await using broker = await startScriptedBroker(sendOn);
    const options = { cachedBackendEndpoint: broker.backendEndpoint, selfVersion: "1.2.2" };
    await check(broker, options, "broker-negotiated", 1);
  });
});
