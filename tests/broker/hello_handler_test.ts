import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RegisteredBackend } from "../../src/broker/backend_registry.ts";
import { HelloHandler, type HelloHandlerParts, type HelloRequest } from "../../src/broker/hello_handler.ts";
import { HelloRateLimiter } from "../../src/broker/hello_rate_limiter.ts";
import { REFUSALS } from "../../src/broker/refusals.ts";
import { HandoffTokenStore } from "../../src/handoff/token_store.ts";
import type { FrameSchema, HelloSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { tokenBytesOf, tokenStore } from "../handoff/_support.ts";
import { helloFrame, registeredBackend } from "./_hello_values.ts";

const BIT_0 = 1n;
const BIT_32 = 1n << 32n;
const BIT_33 = 1n << 33n;

function handler(parts: Partial<HelloHandlerParts<RegisteredBackend>> = {}): HelloHandler<RegisteredBackend> {
  return new HelloHandler({
    tokens: tokenStore(),
    rate: new HelloRateLimiter({ hellosMax: 0 }),
    route: () => ({ kind: "backend", backend: registeredBackend() }),
    mayHandOver: () => true,
    ...parts,
  });
}

function request(
  fields: MessageInitShape<typeof HelloSchema> = {},
  more: Partial<HelloRequest> = {},
): HelloRequest {
  return { frame: helloFrame(fields), peerPid: 0, residueBytes: 0, nowMs: 0, ...more };
}

async function negotiated(handler: HelloHandler<RegisteredBackend>, ask: HelloRequest) {
  const answer = await handler.answer(ask);
  assert.ok(answer.kind === "negotiated", answer.kind === "refused" ? answer.refusal.reason : "");
  return answer;
}

async function refused(handler: HelloHandler<RegisteredBackend>, ask: HelloRequest) {
  const answer = await handler.answer(ask);
  assert.ok(answer.kind === "refused");
  return answer;
}

test("a negotiated answer carries what the backend is registered with", async () => {
  const backend = registeredBackend({ serverCapabilities: 6n, daemonVersion: "1.2.3", backendPipe: "/x" });
  const answer = await negotiated(
    handler({ route: () => Promise.resolve({ kind: "backend", backend }) }),
    request(),
  );
  const { negotiatedProtocol, daemonVersion, backendPipe, serverCapabilities, warnings, handlePassedToken } =
    answer.negotiated;
  assert.deepEqual(
    [negotiatedProtocol, daemonVersion, backendPipe, serverCapabilities, warnings, handlePassedToken],
    [1, "1.2.3", "/x", 6n, [], new Uint8Array(0)],
  );
  assert.equal(answer.backend, backend);
  assert.equal(answer.token, undefined);
});

test("the client's own keepalive is taken, and 1800 seconds when it has none", async () => {
  const one = handler();
  const { negotiated: own } = await negotiated(one, request({ clientKeepaliveSecs: 60n }));
  assert.equal(own.keepaliveIntervalSecs, 60n);
  assert.equal((await negotiated(one, request())).negotiated.keepaliveIntervalSecs, 1_800n);
});

test("connection ids start at 1 and never repeat, whatever is refused in between", async () => {
  const one = handler({
    route: (hello) =>
      hello.wantedVersion === "1.2.3"
        ? Promise.resolve({ kind: "backend", backend: registeredBackend() })
        : { kind: "refused", refusal: REFUSALS.notRegistered },
  });
  const asks = Array.from({ length: 60 }, (_, i) => request(i % 3 === 1 ? { wantedVersion: "9.9.9" } : {}));
  const answers = await Promise.all(asks.map((ask) => one.answer(ask)));
  const ids = answers.flatMap((answer) =>
    answer.kind === "negotiated" ? [answer.negotiated.connectionId] : []
  );
  assert.equal(ids.length, 40);
  assert.deepEqual([...ids].sort((a, b) => Number(a - b)), ids.map((_, i) => BigInt(i + 1)));
});

test("a token is issued only when the client wants it and the backend may be handed its connection", async () => {
  for (const wants of [true, false]) {
    for (const mayHandOver of [true, false]) {
      const tokens = tokenStore();
      const one = handler({ tokens, mayHandOver: () => mayHandOver });
      const { token, negotiated: reply } = await negotiated(
        one,
        request({ clientCapabilities: wants ? BIT_0 : 2n }),
      );
      const isDue = wants && mayHandOver;
      assert.equal(token !== undefined, isDue);
      assert.deepEqual(reply.handlePassedToken, isDue ? tokenBytesOf(1) : new Uint8Array(0));
      assert.equal(reply.serverCapabilities, isDue ? BIT_0 : 0n);
      assert.equal(tokens.pendingLength, isDue ? 1 : 0);
    }
  }
});

test("whoever decides on a handover hears what the client has announced and sent ahead", async () => {
  const heard: [boolean, number][] = [];
  const one = handler({
    mayHandOver: (_backend, { isAnnounced, residueBytes }) => heard.push([isAnnounced, residueBytes]) > 0,
  });
  for (const early of [0n, BIT_33]) {
    for (const residueBytes of [0, 7]) {
      await negotiated(one, request({ clientCapabilities: BIT_0 | early }, { residueBytes }));
    }
  }
  assert.deepEqual(heard, [[false, 0], [false, 7], [true, 0], [true, 7]]);
});

test("bit 32 goes back only to a client that set it, and only with a token", async () => {
  const bits = async (clientCapabilities: bigint, mayHandOver = true, serverCapabilities = 0n) => {
    const backend = registeredBackend({ serverCapabilities });
    const one = handler({ mayHandOver: () => mayHandOver, route: () => ({ kind: "backend", backend }) });
    return (await negotiated(one, request({ clientCapabilities }))).negotiated.serverCapabilities;
  };
  assert.equal(await bits(BIT_0 | BIT_32), BIT_0 | BIT_32);
  assert.equal(await bits(BIT_0), BIT_0);
  assert.equal(await bits(BIT_32), 0n);
  assert.equal(await bits(BIT_0 | BIT_32, false), 0n);
  assert.equal(await bits(BIT_0 | (1n << 33n) | 6n), BIT_0, "no other bit is echoed");
  assert.equal(await bits(BIT_0 | BIT_32, true, 8n), BIT_0 | BIT_32 | 8n);
});

test("whether a backend may be handed connections is asked for the backend that was found", async () => {
  const backend = registeredBackend({ backendPipe: "/other" });
  const asked: unknown[] = [];
  const mayHandOver = (found: RegisteredBackend) => (asked.push(found), false);
  const one = handler({ route: () => ({ kind: "backend", backend }), mayHandOver });
  await negotiated(one, request({ clientCapabilities: BIT_0 }));
  assert.deepEqual(asked, [backend]);
});

test("a token store that can issue none costs the handoff, never the reply", async () => {
  const broken = new HandoffTokenStore(() => {
    throw new Error("no entropy");
  });
  const full = tokenStore({ pendingTokensMax: 1 });
  full.issue(0);
  for (const tokens of [broken, full]) {
    const answer = await negotiated(handler({ tokens }), request({ clientCapabilities: BIT_0 | BIT_32 }));
    assert.equal(answer.token, undefined);
    assert.equal(answer.negotiated.serverCapabilities, 0n);
    assert.equal(answer.negotiated.handlePassedToken.length, 0);
  }
});

test("a frame that holds no Hello is refused before anything else", async () => {
  const frames: [MessageInitShape<typeof FrameSchema>, string][] = [
    [{ envelopeVersion: 2 }, "1 frame envelope_version is not v1"],
    [{ kind: 2 }, "6 Hello frame kind must be REQUEST"],
    [{ payloadProtocol: 7 }, "6 Hello frame payload_protocol must be control-plane"],
    [{ payloadEncoding: 1 }, "6 Hello payload must not be compressed"],
    [{ payload: Uint8Array.of(255) }, "6 malformed Hello payload"],
  ];
  const rate = new HelloRateLimiter({ hellosMax: 1 });
  const one = handler({ rate, route: () => assert.fail("routed") });
  for (const [fields, wanted] of frames) {
    const { hello, refusal } = await refused(one, request({}, { frame: helloFrame({}, fields), peerPid: 7 }));
    assert.equal(`${refusal.code} ${refusal.reason}`, wanted);
    assert.equal(hello, undefined);
  }
  assert.equal(rate.processes, 0);
});

test("the rate counts only Hellos whose shape is right, before they are routed", async () => {
  let routed = 0;
  const one = handler({
    rate: new HelloRateLimiter({ hellosMax: 2, windowMs: 1_000 }),
    route: () => (routed++, { kind: "refused", refusal: REFUSALS.notRegistered }),
  });
  const ask = (fields: MessageInitShape<typeof HelloSchema>, nowMs: number) =>
    refused(one, request(fields, { peerPid: 7, nowMs }));
  for (let i = 0; i < 5; i++) {
    assert.equal((await ask({ serviceName: "" }, i)).refusal.reason, "invalid service_name");
  }
  assert.equal((await ask({}, 10)).refusal.reason, "backend is not registered");
  assert.equal((await ask({}, 20)).refusal.reason, "backend is not registered");
  const limited = await ask({}, 300);
  assert.deepEqual(limited.refusal, { code: 4, reason: "Hello rate limit exceeded", retryAfterMs: 710n });
  assert.equal(limited.hello?.serviceName, "my-daemon");
  assert.equal(routed, 2);
  assert.equal((await ask({}, 1_010)).refusal.reason, "backend is not registered");
});

test("a refusal of the router is passed on, and costs no token and no connection id", async () => {
  const tokens = tokenStore();
  let isRefusing = true;
  const one = handler({
    tokens,
    route: () =>
      isRefusing
        ? { kind: "refused", refusal: REFUSALS.belowMinVersion }
        : { kind: "backend", backend: registeredBackend() },
  });
  const { refusal, hello } = await refused(one, request({ clientCapabilities: BIT_0 }));
  assert.equal(refusal, REFUSALS.belowMinVersion);
  assert.equal(hello?.wantedVersion, "1.2.3");
  assert.equal(tokens.pendingLength, 0);
  isRefusing = false;
  assert.equal((await negotiated(one, request())).negotiated.connectionId, 1n);
});

test("the process is compared with the kernel's word", async () => {
  const one = handler();
  const { refusal } = await refused(one, request({ peerPid: 5 }, { peerPid: 6 }));
  assert.equal(refusal, REFUSALS.peerPid);
  await negotiated(one, request({ peerPid: 6 }, { peerPid: 6 }));
});
