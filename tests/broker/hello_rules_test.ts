import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CAPABILITY_HANDLE_PASSING } from "../../src/wire/constants.ts";
import { ErrorCode, type Frame, HelloSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { REFUSALS } from "../../src/broker/refusals.ts";
import { BACKEND, countingTokens, helloFrame, helloHandler, request } from "./_hello.ts";

type Handler = ReturnType<typeof helloHandler>;

async function negotiated(handler: Handler, frame: Frame, peerPid?: number) {
  const answer = await handler.answer(request(frame, peerPid));
  assert.ok(
    answer.kind === "negotiated",
    JSON.stringify(answer, (_, v) => typeof v === "bigint" ? `${v}` : v),
  );
  return answer;
}

async function refused(handler: Handler, frame: Frame, peerPid?: number) {
  const answer = await handler.answer(request(frame, peerPid));
  assert.ok(answer.kind === "refused", answer.kind);
  return answer.refusal;
}

describe("a Hello that is right", () => {
  test("is negotiated with protocol, version, endpoint, keepalive and connection id", async () => {
    const handler = helloHandler();
    const first = (await negotiated(handler, helloFrame({ clientKeepaliveSecs: 42n }))).negotiated;
    assert.equal(first.negotiatedProtocol, 1);
    assert.equal(first.daemonVersion, BACKEND.daemonVersion);
    assert.equal(first.backendPipe, BACKEND.backendPipe);
    assert.equal(first.keepaliveIntervalSecs, 42n);
    assert.equal(first.connectionId, 1n);
    const second = (await negotiated(handler, helloFrame())).negotiated;
    assert.deepEqual([second.keepaliveIntervalSecs, second.connectionId], [1800n, 2n]);
  });

  test("reaches routing whole, with the frame it came in", async () => {
    const seen: unknown[] = [];
    const handler = helloHandler({
      route: (hello, frame) => {
        seen.push(hello.serviceName, hello.wantedVersion, hello.peerPid, frame);
        return { kind: "backend", backend: BACKEND };
      },
    });
    const frame = helloFrame({ peerPid: 77, traceparent: "00-trace", tracestate: "vendor=1" });
    const answer = await negotiated(handler, frame, 77);
    assert.deepEqual(seen, ["zccache", "1.11.20", 77, frame]);
    assert.equal(seen[3], frame);
    assert.equal(answer.hello.wantedVersion, "1.11.20");
  });

  test("of many at once gets a connection id of its own, none left out", async () => {
    const handler = helloHandler();
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => negotiated(handler, helloFrame(), 0)),
    );
    const ids = answers.map(({ negotiated }) => negotiated.connectionId);
    assert.deepEqual(
      ids.toSorted((a, b) => Number(a - b)),
      Array.from({ length: 200 }, (_, i) => BigInt(i + 1)),
    );
  });
});

describe("a Hello is refused", () => {
  test("for a name that is none, as PEER_REJECTED", async () => {
    for (const serviceName of ["", "UPPER", "a/b", "x".repeat(65)]) {
      assert.deepEqual(await refused(helloHandler(), helloFrame({ serviceName })), REFUSALS.serviceName);
    }
    assert.equal(REFUSALS.serviceName.code, ErrorCode.ERROR_PEER_REJECTED);
  });

  test("with routing's own words when no backend serves it", async () => {
    const handler = helloHandler({ route: () => ({ kind: "refused", refusal: REFUSALS.notInTable }) });
    assert.deepEqual(await refused(handler, helloFrame()), REFUSALS.notInTable);
    assert.equal(REFUSALS.notInTable.code, ErrorCode.ERROR_SERVICE_UNKNOWN);
  });

  test("for a protocol range without v1, before anything is looked up", async () => {
    let routed = 0;
    const handler = helloHandler({ route: () => (routed++, { kind: "backend", backend: BACKEND }) });
    for (const [clientMinProtocol, clientMaxProtocol] of [[2, 3], [0, 0], [2, 1]] as const) {
      const payload = encodeMessage(HelloSchema, {
        serviceName: "zccache",
        wantedVersion: "1.11.20",
        clientMinProtocol,
        clientMaxProtocol,
      });
      assert.equal(
        (await refused(handler, { ...helloFrame(), payload })).code,
        ErrorCode.ERROR_VERSION_UNSUPPORTED,
      );
    }
    assert.equal(routed, 0);
  });

  test("when it claims another process than the kernel's, and not when either is unknown", async () => {
    const handler = helloHandler();
    assert.deepEqual(await refused(handler, helloFrame({ peerPid: 78 }), 77), REFUSALS.peerPid);
    for (const [claimed, kernel] of [[78, 0], [0, 77], [77, 77]] as const) {
      await negotiated(handler, helloFrame({ peerPid: claimed }), kernel);
    }
  });

  test("when its payload does not decode", async () => {
    const { code, reason } = await refused(helloHandler(), { ...helloFrame(), payload: Uint8Array.of(0xff) });
    assert.deepEqual([code, reason], [ErrorCode.ERROR_PEER_REJECTED, "malformed Hello payload"]);
  });
});

describe("handle passing", () => {
  const capable = () => helloFrame({ clientCapabilities: CAPABILITY_HANDLE_PASSING });

  test("wanted and possible: a pending token of 16 bytes, and the bit on top of the backend's", async () => {
    const tokens = countingTokens();
    const { negotiated: reply, token } = await negotiated(helloHandler({ tokens }), capable());
    assert.equal(reply.handlePassedToken.length, 16);
    assert.equal(reply.serverCapabilities, BACKEND.serverCapabilities | CAPABILITY_HANDLE_PASSING);
    assert.equal(tokens.pendingLength, 1);
    assert.deepEqual(token?.toBytes(), reply.handlePassedToken);
  });

  test("not wanted: no token, the backend's bits only, nothing pending", async () => {
    const tokens = countingTokens();
    const { negotiated: reply } = await negotiated(helloHandler({ tokens }), helloFrame());
    assert.equal(reply.handlePassedToken.length, 0);
    assert.equal(reply.serverCapabilities, BACKEND.serverCapabilities);
    assert.equal(tokens.pendingLength, 0);
  });

  test("each Hello gets a token of its own, which is taken exactly once", async () => {
    const tokens = countingTokens();
    const handler = helloHandler({ tokens });
    const [first, second] = [await negotiated(handler, capable()), await negotiated(handler, capable())];
    assert.notDeepEqual(first.negotiated.handlePassedToken, second.negotiated.handlePassedToken);
    assert.equal(tokens.pendingLength, 2);
    const token = first.token!;
    assert.equal(tokens.consumeMatching(token, token, 1).ok, true);
    const again = tokens.consumeMatching(token, token, 1);
    assert.equal(!again.ok && again.error.kind, "TokenNotPending");
  });
});
