import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { executeUnixHandoff, serveBackend, type ServedConnection } from "../../mod.ts";
import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import { loadTransport } from "../../src/transport/load_transport.ts";
import type { UnixDetachedConnection } from "../../src/transport/unix/detached_connection.ts";
import { createFirstFrameReader } from "../../src/wire/first_frame_reader.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { issued, tokenStore } from "../handoff/_support.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";
import { deferred, WAIT, within } from "../support/waiting.ts";

const HELLO = encodeFramed({ envelopeVersion: 1, requestId: 1n });

/** A client's connection on the broker's side, its first frame read, and the client's own end. */
async function acceptedClient(dir: TempDir) {
  const transport = await loadTransport();
  const endpoint = dir.join("br.sock");
  const accepted = deferred<UnixDetachedConnection>();
  await using _listener = await transport.listenPassable(endpoint, {}, (incoming) => {
    const reader = createFirstFrameReader({ frameBytesMax: 1024 });
    incoming.firstFrame(reader, WAIT)
      .then(({ connection }) => accepted.resolve(connection as UnixDetachedConnection))
      .catch(accepted.reject);
  });
  const client = await transport.connect(endpoint, WAIT);
  await client.write(HELLO);
  return { client, connection: await within("the client", accepted.promise) };
}

/** Books a handoff and executes it. */
async function handOver(backendSocket: string, fd: number, backendPid = 0) {
  const tokens = tokenStore();
  const acks = new HandoffAckRegistry();
  const token = issued(tokens, performance.now());
  acks.register(token, { serviceName: "my-daemon", backendPid }, performance.now());
  const outcome = await executeUnixHandoff({ tokens, acks }, { fd, backendSocket, token }, {
    serviceName: "my-daemon",
    correlationId: 5n,
  });
  assert.equal(tokens.pendingLength + acks.pendingLength, 0);
  const replay = tokens.consumeMatching(token, token, performance.now());
  assert.equal(!replay.ok && replay.error.kind, "TokenNotPending");
  return outcome;
}

describe("executeUnixHandoff()", () => {
  test("passes a live connection, which the backend then serves, and completes once", async () => {
    await using dir = await makeTempDir();
    const handoffEndpoint = dir.join("ho.sock");
    await using backend = await serveBackend({
      service: "my-daemon",
      version: "1.2.3",
      endpoint: dir.join("be.sock"),
      handoffEndpoint,
    });
    const served: ServedConnection[] = [];
    const serving = (async () => {
      for await (const connection of backend) {
        served.push(connection);
        const bytes = await readFrame(connection.stream);
        await connection.stream.write(encodeFramed({ envelopeVersion: 1, payload: bytes }));
      }
    })();
    const { client, connection } = await acceptedClient(dir);
    const outcome = await handOver(handoffEndpoint, connection.fd, process.pid);
    assert.equal(outcome.kind, "completed", JSON.stringify(outcome));
    assert.equal(outcome.brokerFd, connection.fd);
    connection.close();
    await client.write(encodeFramed({ envelopeVersion: 1, requestId: 7n }));
    assert.ok((await within("the answer", readFrame(client))).length > 0);
    assert.deepEqual(served.map(({ origin }) => origin), ["handoff"]);
    client.close();
    await backend.close();
    await serving;
  });

  test(
    "falls back at the Send stage when nobody serves the endpoint, and the client lives on",
    async () => {
      await using dir = await makeTempDir();
      const { client, connection } = await acceptedClient(dir);
      const outcome = await handOver(dir.join("nobody.sock"), connection.fd);
      assert.ok(outcome.kind === "fallback");
      assert.deepEqual(
        [outcome.stage, outcome.decision.reason, outcome.fdReachedBackend, outcome.owner, outcome.brokerFd],
        ["Send", "BackendAckTimeout", false, "broker", connection.fd],
      );
      assert.equal(connection.sendNow(HELLO).ok, true);
      await within("what the broker wrote", readFrame(client));
      connection.close();
      client.close();
    },
  );

  test("falls back at the Send stage for a descriptor that is none", async () => {
    await using dir = await makeTempDir();
    const transport = await loadTransport();
    const endpoint = dir.join("ho.sock");
    await using _listener = await transport.listen(endpoint, {}, (stream) => stream.close());
    const outcome = await handOver(endpoint, 1_000_000);
    assert.ok(outcome.kind === "fallback");
    assert.deepEqual([outcome.stage, outcome.fdReachedBackend], ["Send", false]);
    assert.match(outcome.detail, /fd 1000000: dup returned EBADF/);
  });

  test("falls back at the Send stage when another process than the registered one serves the endpoint", async () => {
    await using dir = await makeTempDir();
    const transport = await loadTransport();
    const endpoint = dir.join("ho.sock");
    await using _listener = await transport.listen(endpoint, {}, (stream) => stream.close());
    const { client, connection } = await acceptedClient(dir);
    const outcome = await handOver(endpoint, connection.fd, process.pid + 1);
    assert.ok(outcome.kind === "fallback");
    assert.deepEqual([outcome.stage, outcome.fdReachedBackend, outcome.owner], ["Send", false, "broker"]);
    connection.close();
    client.close();
  });
});
