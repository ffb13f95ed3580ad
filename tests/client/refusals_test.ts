import assert from "node:assert/strict";
import test from "node:test";
import { BrokerClientError, type ConnectBackendRequest } from "../../mod.ts";
import { CAPABILITY_HANDLE_PASSING } from "../../src/wire/constants.ts";
import { type LocalBroker, requireEcho, startLocalBackend, startLocalBroker } from "../faults/local_pair.ts";
import { startScriptedBroker } from "../faults/scripted_broker.ts";

async function refusalOf(
  broker: LocalBroker,
  options: Partial<ConnectBackendRequest>,
): Promise<BrokerClientError> {
  const outcome = await broker.connect(options).then(() => undefined, (error: unknown) => error);
  assert.ok(outcome instanceof BrokerClientError, String(outcome));
  return outcome;
}

test("a service that the broker does not know is a ServiceUnknown, with its words and no hint", async () => {
  await using backend = await startLocalBackend();
  await using broker = await startLocalBroker(backend);
  const error = await refusalOf(broker, { service: "unknown-service" });
  assert.equal(error.refusalKind, "ServiceUnknown");
  assert.deepEqual([error.refusal?.reason, error.refusal?.retryAfterMs], [
    "service definition was not found",
    0n,
  ]);
});

test("a version that is blocked is a VersionBlocked, with a hint when to ask again", async () => {
  await using backend = await startLocalBackend();
  await using broker = await startLocalBroker(backend);
  const error = await refusalOf(broker, { version: "0.9.0" });
  assert.equal(error.refusalKind, "VersionBlocked");
  assert.deepEqual([error.refusal?.reason, error.refusal?.retryAfterMs], [
    "wanted_version is below min_version",
    30_000n,
  ]);
});

test("a client that does not adopt reconnects, and can see the token all the same", async () => {
  const token = new Uint8Array(16).fill(7);
  await using broker = await startScriptedBroker(async ({ stream, reply }) => {
    await stream.write(reply({ handlePassedToken: token, serverCapabilities: CAPABILITY_HANDLE_PASSING }));
  });
  await using session = await broker.connect({ adoptHandedOffConnection: false });
  assert.equal(session.route, "broker-negotiated");
  assert.deepEqual(session.handoffToken, token);
  await requireEcho(session.stream, "reconnected");
});
