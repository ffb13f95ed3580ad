import assert from "node:assert/strict";
import test from "node:test";
import { BackendHandle, FrameClient, serveBackend, type ServedConnection } from "../../mod.ts";
import { FrameSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { encodeFramed } from "../../src/wire/framing.ts";
import { responseTo } from "../../src/wire/frames.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import { type LocalBackend, requireEcho, startLocalBackend, startLocalBroker } from "../faults/local_pair.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { SERVICE, VERSION } from "../support/topology.ts";

const PING_PROTOCOL = 0x7a63;

/** A daemon that answers each frame with its payload reversed, on the endpoint that is probed as well. */
async function startPong() {
  const dir = await makeTempDir();
  const endpoint = dir.join("be.sock");
  const backend = await serveBackend({ service: SERVICE, version: VERSION, endpoint, namespace: "shared" });
  void (async () => {
    for await (const connection of backend) void pong(connection);
  })();
  return {
    backend,
    endpoint,
    async [Symbol.asyncDispose]() {
      await backend.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function pong({ stream }: ServedConnection): Promise<void> {
  try {
    for (;;) {
      const request = decodeStrict(FrameSchema, await readFrame(stream));
      await stream.write(encodeFramed(responseTo(request, request.payload.toReversed())));
    }
  } catch {
    stream.close(); // the client has left
  }
}

async function requirePong(client: FrameClient): Promise<void> {
  for (const payload of [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]) {
    const answer = await client.request(PING_PROTOCOL, payload);
    assert.deepEqual([...answer.payload], [...payload].reverse());
  }
}

test("a daemon answers probes and serves payload frames on one endpoint", async () => {
  await using daemon = await startPong();
  const identity = await daemon.backend.identity;
  const handle = await BackendHandle.probe({ namespaceId: "shared", path: daemon.endpoint }, identity);
  assert.equal(handle.isAlive(), true);
  using client = await FrameClient.connect(daemon.endpoint);
  await requirePong(client);
});

test("a tool, a broker and a daemon: probed, negotiated, and a frame there and back on the tool's connection", async () => {
  await using daemon = await startPong();
  await using served = await startLocalBackend();
  const fronted: LocalBackend = { ...served, endpoint: daemon.endpoint, handoffEndpoint: "" };
  await using broker = await startLocalBroker(fronted, {
    backend: { service: SERVICE, version: VERSION, endpoint: daemon.endpoint },
  });
  const session = await broker.connect();
  assert.equal(session.route, "broker-negotiated");
  assert.equal(session.negotiated?.daemonVersion, VERSION);
  using client = new FrameClient(session.stream);
  await requirePong(client);
});

test("a client's live connection is taken back from its frames, and goes on as bytes", async () => {
  await using served = await startLocalBackend();
  await using broker = await startLocalBroker(served);
  const session = await broker.connect();
  const client = new FrameClient(session.stream);
  const stream = client.release();
  assert.equal(stream, session.stream);
  await assert.rejects(client.request(PING_PROTOCOL, Uint8Array.of(1)), { kind: "Poisoned" });
  await requireEcho(stream, "the same live socket");
  stream.close();
});

test("FrameClient.connect() to an endpoint nobody serves fails at once, and loudly", async () => {
  await using dir = await makeTempDir();
  const connecting = FrameClient.connect(dir.join("nobody.sock"), { deadlineMs: 5_000 });
  await assert.rejects(connecting, { name: "FrameClientError", kind: "Connect" });
});
