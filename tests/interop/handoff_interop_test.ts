// run-in: deno
import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { BrokerError, connectLocalSocket, connectToBackend, type LocalStream } from "@running-process/broker";
import { concatBytes } from "../../src/wire/bytes.ts";
import { encodeHello } from "../../src/wire/hello.ts";
import { decodeHelloReply } from "../../src/wire/hello_reply.ts";
import { CAPABILITY_HANDLE_PASSING } from "../../src/wire/constants.ts";
import { readFrame } from "../../src/wire/read_frame.ts";
import { isEvent, SERVICE, VERSION } from "../support/topology.ts";
import { Lab, labRuntimes } from "./_lab.ts";
import { type BrokerPart, startBackend, startBroker, takeRoute } from "./_parts.ts";
import { peerVersions } from "./_peer_crate.ts";

const EVENT_DEADLINE_MS = 20_000;
const DELAY_MS = 300;

for (const version of peerVersions) {
  for (const runtime of labRuntimes) {
    test(`a broker in ${runtime} lets its client reconnect when a backend of ${version} rejects it`, async () => {
      await using lab = await Lab.open(version);
      const broker = await startBroker(lab, runtime, await startBackend(lab, "rust", "--reject-handoff"));
      await using session = await connectToBackend({
        service: SERVICE,
        version: VERSION,
        broker: broker.endpoint,
        adoptHandedOffConnection: true,
      });
      assert.deepEqual(
        [session.route, session.handoffFallback],
        ["broker-negotiated", "the broker closed the connection"],
      );
      const wait = { deadlineMs: EVENT_DEADLINE_MS };
      const line = await broker.process.waitForLine(isEvent("handoff-fallback"), wait);
      assert.match((JSON.parse(line) as { detail: string }).detail, /handoff token is not pending/);
    });

    test(`a broker of ${version} takes a refusal by a backend in ${runtime}, and the next handoff`, async () => {
      await using lab = await Lab.open(version);
      const backend = await startBackend(lab, runtime);
      const broker = await startBroker(lab, "rust", backend);
      await sendTooEarly(broker);
      const wait = { deadlineMs: EVENT_DEADLINE_MS };
      const line = await backend.process.waitForLine(isEvent("handoff-refused"), wait);
      assert.equal((JSON.parse(line) as { reason: string }).reason, "early-data");
      await takeRoute(lab, "rust", broker, "handoff");
      assert.equal(broker.process.stdoutLines.filter(isEvent("rebind")).length, 0);
    });
  }

  test(`a slow backend of ${version} gets its connections from our broker all the same`, async () => {
    await using lab = await Lab.open(version);
    const backend = await startBackend(lab, "rust", "--handoff-delay-ms", String(DELAY_MS));
    const broker = await startBroker(lab, "deno", backend);
    for (const client of ["rust", "deno"] as const) await takeRoute(lab, client, broker, "handoff");
  });
}

/** A Hello with the first request behind it, which nobody may answer before the client knows of the handoff. */
async function sendTooEarly({ endpoint }: BrokerPart): Promise<void> {
  const stream = await connectLocalSocket(endpoint);
  const hello = encodeHello({
    serviceName: SERVICE,
    wantedVersion: VERSION,
    peerPid: process.pid,
    clientCapabilities: CAPABILITY_HANDLE_PASSING,
  });
  await stream.write(concatBytes(hello, Uint8Array.of(0x5a)));
  const signal = AbortSignal.timeout(EVENT_DEADLINE_MS);
  const reply = decodeHelloReply(await readFrame(stream, { signal }));
  assert.equal(reply.kind, "negotiated");
  assert.equal(await readEnd(stream, signal), "closed", "the backend has given nothing away");
  stream.close();
}

/** The broker closes with a byte unread, which the kernel may report as a reset. */
async function readEnd(stream: LocalStream, signal: AbortSignal): Promise<Uint8Array | "closed"> {
  try {
    return await stream.read(signal) ?? "closed";
  } catch (error) {
    if (BrokerError.is(error) && error.code === "closed") return "closed";
    throw error;
  }
}
