import assert from "node:assert/strict";
import { chmodSync, existsSync } from "node:fs";
import { describe, test } from "node:test";
import { BrokerClientError, connectLocalSocket, connectToBackend } from "../../mod.ts";
import { isPeerAllowed } from "../../src/broker/peer_policy.ts";
import { serveHelloOnce } from "../../src/broker/serve_hello_once.ts";
import { loadTransport } from "../../src/transport/load_transport.ts";
import { HELLO_BYTES_MAX } from "../../src/wire/constants.ts";
import { AdminVerb } from "../../src/wire/gen/broker_v1_admin_pb.ts";
import { ErrorCode, FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { decodeHelloReply } from "../../src/wire/hello_reply.ts";
import { tryDecodeFramed } from "../../src/wire/framing.ts";
import { encodeMessage } from "../../src/wire/strict_decode.ts";
import { adminFrame, ECHOED, header, helloFrame, helloFrameOfBody } from "../faults/hostile_frames.ts";
import { readToEnd } from "../faults/play_hostile.ts";
import { currentRuntime, runtimeCommand } from "../support/runtimes.ts";
import { startProcess } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { SERVICE, VERSION } from "../support/topology.ts";
import { until, WAIT, within } from "../support/waiting.ts";
import { runCli } from "./_run_cli.ts";

interface Refused {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly requestId: bigint;
}

const CASES: readonly (readonly [string, Uint8Array, Refused])[] = [
  ["a good Hello", helloFrame(), {
    code: ErrorCode.ERROR_SERVICE_UNKNOWN,
    reason: "service is not registered",
    requestId: ECHOED.requestId,
  }],
  ["a good Hello of 64 KiB", helloFrameOfBody(HELLO_BYTES_MAX).bytes, {
    code: ErrorCode.ERROR_SERVICE_UNKNOWN,
    reason: "service is not registered",
    requestId: ECHOED.requestId,
  }],
  ["a Hello for a service without a good name", helloFrame({ serviceName: "../etc" }), {
    code: ErrorCode.ERROR_PEER_REJECTED,
    reason: "invalid service_name",
    requestId: ECHOED.requestId,
  }],
  ["a header that announces more than 64 KiB", header(HELLO_BYTES_MAX + 1), {
    code: ErrorCode.ERROR_PEER_REJECTED,
    reason: "initial Hello frame exceeds 64 KiB",
    requestId: 0n,
  }],
  ["an operator's request", adminFrame({ verb: AdminVerb.HEALTHZ }), {
    code: ErrorCode.ERROR_PEER_REJECTED,
    reason: "Hello frame payload_protocol must be control-plane",
    requestId: ECHOED.requestId,
  }],
];

describe("serveHelloOnce()", () => {
  for (const [what, request, wanted] of CASES) {
    test(`refuses ${what}, then stops and takes its name along`, async () => {
      await using dir = await makeTempDir();
      const endpoint = dir.join("br.sock");
      await using broker = await serveHelloOnce(endpoint);
      assert.deepEqual(await exchange(endpoint, request), wanted);
      await within("the broker's end", broker.closed);
      assert.equal(broker.counts.connectionsAccepted, 1);
      assert.equal(existsSync(endpoint), false);
    });
  }

  test("stops after a client that says nothing at all, and lets no second one in", async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join("br.sock");
    await using broker = await serveHelloOnce(endpoint);
    const silent = await connectLocalSocket(endpoint, WAIT);
    await until("the first client is accepted", () => broker.counts.connectionsAccepted === 1);
    await assert.rejects(exchange(endpoint, helloFrame()));
    silent.close();
    await within("the broker's end", broker.closed);
    assert.equal(broker.counts.connectionsAccepted, 1);
  });

  test("answers a client of another user, too", async () => {
    await using dir = await makeTempDir();
    const endpoint = dir.join("br.sock");
    const host = await loadTransport();
    // To a broker of the next user, this process is a stranger.
    await using _broker = await serveHelloOnce(endpoint, {
      transport: { ...host, ownUser: host.ownUser + 1 },
    });
    assert.equal((await exchange(endpoint, helloFrame())).reason, "service is not registered");
  });

  test("stops by its signal when nobody comes", async () => {
    await using dir = await makeTempDir();
    const stop = new AbortController();
    const broker = await serveHelloOnce(dir.join("br.sock"), { signal: stop.signal });
    stop.abort();
    await within("the broker's end", broker.closed);
  });
});

test("isPeerAllowed() knows its user, under allow-any everybody else, and nobody without credentials", () => {
  const [own, other] = [{ pid: 1, uid: 1000, gid: 1 }, { pid: 1, uid: 0, gid: 0 }];
  const seen = (["owner-only", "allow-any"] as const).map((policy) =>
    [own, other, undefined].map((peer) => isPeerAllowed(policy, peer, 1000))
  );
  assert.deepEqual(seen, [[true, false, false], [true, true, false]]);
});

test("--serve-once refuses one client of another process, then exits with 0", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("br.sock");
  const runtime = currentRuntime === "node" ? "deno" : currentRuntime;
  const what = runtimeCommand(runtime, "cli.ts", ["--serve-once", endpoint]);
  const env = { ...what.env, RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED: "1" };
  await using process = startProcess({ ...what, env });
  await until(
    "the broker listens",
    () => process.stderrTail.some((line) => line.includes(`serving ${endpoint}`)),
  );
  const client = connectToBackend({ service: SERVICE, version: VERSION, broker: endpoint, ...WAIT });
  const error = await client.then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof BrokerClientError, String(error));
  assert.deepEqual(error.refusal, {
    code: ErrorCode.ERROR_SERVICE_UNKNOWN,
    reason: "service is not registered",
    retryAfterMs: 0n,
  });
  assert.equal((await process.waitForExit(WAIT)).code, 0);
});

test("--serve-once exits with 2 without an endpoint, and with 1 when it cannot have it", async () => {
  await using dir = await makeTempDir();
  chmodSync(dir.path, 0o755);
  assert.equal((await runCli(["--serve-once"])).code, 2);
  const { code, stderr } = await runCli(["--serve-once", dir.join("br.sock")]);
  assert.equal(code, 1);
  assert.match(stderr, /serve-once failed: /);
});

/** Sends bytes and gives the refusal that comes back, behind which the connection has to end. */
async function exchange(endpoint: string, request: Uint8Array): Promise<Refused> {
  const stream = await connectLocalSocket(endpoint, WAIT);
  try {
    await stream.write(request);
    const bytes = await within("the end", readToEnd(stream));
    const decoded = tryDecodeFramed(bytes);
    assert.ok(decoded.kind === "frame" && decoded.consumed === bytes.length, decoded.kind);
    const { requestId } = decoded.frame;
    const reply = decodeHelloReply(encodeMessage(FrameSchema, decoded.frame));
    assert.ok(reply.kind === "refused", reply.kind);
    return { code: reply.code, reason: reply.reason, requestId };
  } finally {
    stream.close();
  }
}
