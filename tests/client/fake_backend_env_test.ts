import assert from "node:assert/strict";
import process from "node:process";
import test, { after, afterEach } from "node:test";
import {
  BrokerClientError,
  RUNNING_PROCESS_DISABLE_ENV,
  RUNNING_PROCESS_FAKE_BACKEND_ENV,
} from "../../mod.ts";
import { requireEcho } from "../faults/local_pair.ts";
import { startScriptedBroker } from "../faults/scripted_broker.ts";

const VARIABLES = [RUNNING_PROCESS_FAKE_BACKEND_ENV, RUNNING_PROCESS_DISABLE_ENV];
const original = VARIABLES.map((name) => process.env[name]);

function restore(values: readonly (string | undefined)[]): void {
  VARIABLES.forEach((name, index) => {
    const value = values[index];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  });
}
afterEach(() => restore([]));
after(() => restore(original));

function scripted() {
  return startScriptedBroker(async ({ stream, reply }) => await stream.write(reply()));
}

test("a request with test seams goes straight to the fake backend, whatever else it says", async () => {
  await using broker = await scripted();
  process.env[RUNNING_PROCESS_FAKE_BACKEND_ENV] = broker.backendEndpoint;
  const elsewhere = {
    broker: broker.dir.join("none.sock"),
    cachedBackendEndpoint: broker.dir.join("gone.sock"),
  };
  await using session = await broker.connect({ ...elsewhere, testSeams: true });
  assert.deepEqual([session.route, session.endpoint], ["hello-skip", broker.backendEndpoint]);
  assert.equal(session.negotiated, undefined);
  await requireEcho(session.stream, "fake");
  assert.deepEqual(broker.hellos, []);
});

test("a request without test seams never reads the variable", async () => {
  await using broker = await scripted();
  process.env[RUNNING_PROCESS_FAKE_BACKEND_ENV] = broker.dir.join("none.sock");
  await using session = await broker.connect();
  assert.equal(session.route, "broker-negotiated");
});

test("a broker that is turned off turns the seam off with it", async () => {
  await using broker = await scripted();
  process.env[RUNNING_PROCESS_FAKE_BACKEND_ENV] = broker.backendEndpoint;
  process.env[RUNNING_PROCESS_DISABLE_ENV] = "1";
  await assert.rejects(broker.connect({ testSeams: true }), { kind: "BrokerDisabled" });
});

test("a fake backend that is not there is an error, without a fallback to the broker", async () => {
  await using broker = await scripted();
  process.env[RUNNING_PROCESS_FAKE_BACKEND_ENV] = broker.dir.join("none.sock");
  await assert.rejects(broker.connect({ testSeams: true }), (error) => {
    assert.ok(error instanceof BrokerClientError);
    assert.equal(error.kind, "BackendConnect");
    return true;
  });
  assert.deepEqual(broker.hellos, []);
});

test("an empty seam is none", async () => {
  await using broker = await scripted();
  process.env[RUNNING_PROCESS_FAKE_BACKEND_ENV] = "";
  await using session = await broker.connect({ testSeams: true });
  assert.equal(session.route, "broker-negotiated");
});

test("a seam that is not set leaves the way through the broker", async () => {
  await using broker = await scripted();
  await using session = await broker.connect({ testSeams: true });
  assert.equal(session.route, "broker-negotiated");
  assert.equal(broker.hellos.length, 1);
});
