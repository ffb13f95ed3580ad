import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import test from "node:test";
import { BrokerClientError } from "../../mod.ts";
import { requireEcho, startLocalBackend, startLocalBroker } from "./local_pair.ts";

test("a backend that is not there when it is dialled is asked for again", async () => {
  await using served = await startLocalBackend();
  await using local = await startLocalBroker(served);
  const hidden = `${served.endpoint}.hidden`;
  await rename(served.endpoint, hidden);
  const connecting = local.connect({ adoptHandedOffConnection: false });
  await local.events.nth("hello", 2);
  await rename(hidden, served.endpoint);
  await using session = await connecting;
  assert.equal(session.route, "broker-negotiated");
  await requireEcho(session.stream, "after all");
});

test("a backend that stays away is an error after a few Hellos", async () => {
  await using served = await startLocalBackend();
  await using local = await startLocalBroker(served);
  await rename(served.endpoint, `${served.endpoint}.hidden`);
  await assert.rejects(local.connect({ adoptHandedOffConnection: false }), (error) => {
    assert.ok(error instanceof BrokerClientError && error.kind === "BackendConnect");
    return true;
  });
  assert.equal(local.events.of("hello").length, 4);
});
