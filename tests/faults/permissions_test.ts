// run-in: deno
// deadline-s: 400
import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVICE, VERSION } from "../support/topology.ts";
import { AllowedHost, withoutOne } from "./allowed_parts.ts";

const HANDED_OVER = { "handle-passed": 1 };

/** Flags of a broker of which each value is needed. */
const VALUED = ["--allow-read", "--allow-write", "--allow-sys"];

/** Longer than a client's wait for a launched backend; a broker that cannot launch says so at once. */
const CLIENT = { deadlineMs: 45_000, adoptHandedOffConnection: true };

test("what the doctor prints suffices for a client, a backend and a broker, and a client needs all of it", async () => {
  await using host = await AllowedHost.open();
  await host.define(SERVICE);
  const flags = await host.flags();
  const { endpoint, handoffEndpoint } = await host.startBackend(flags.backend);
  const broker = `${host.sockets}/br.sock`;
  const served = ["--service", SERVICE, "--version", VERSION, "--backend-endpoint", endpoint];
  const args = ["--serve", broker, ...served, "--handoff-endpoint", handoffEndpoint];
  const started = await host.startBroker(flags.broker, args);
  assert.ok(started !== undefined, "the broker serves");
  assert.deepEqual(await host.connect(flags.client, { broker, ...CLIENT }), HANDED_OVER);
  assert.deepEqual(await host.complaints(started, broker), []);
  for (const [left, rest] of withoutOne(flags.client)) {
    assert.notDeepEqual(await host.connect(rest, { broker, ...CLIENT }), HANDED_OVER, `without ${left}`);
  }
  // It has survived every one of them.
  assert.deepEqual(await host.connect(flags.client, { broker, ...CLIENT }), HANDED_OVER);
  await started[Symbol.asyncDispose]();
  for (const [left, rest] of withoutOne(flags.broker, VALUED)) {
    const crippled = await host.startBroker(rest, args);
    const isWhole = crippled !== undefined && (await host.complaints(crippled, broker)).length === 0;
    assert.equal(isWhole, false, `a broker without ${left}`);
    await crippled?.[Symbol.asyncDispose]();
  }
});

test("what the doctor prints suffices for a broker that launches and for its backend, and both need all of it", async () => {
  await using host = await AllowedHost.open();
  await host.define(SERVICE, []);
  const flags = await host.flags();
  await host.define(SERVICE, flags.backend);
  const crippled = withoutOne(flags.backend).map(([left, rest], index) => ({
    left,
    rest,
    service: `without-${index}`,
  }));
  for (const { service, rest } of crippled) await host.define(service, rest);
  const broker = `${host.sockets}/br.sock`;
  const args = ["--serve-launch", broker];
  const started = await host.startBroker(flags["launching-broker"], args);
  assert.ok(started !== undefined, "the broker serves");
  assert.deepEqual(await host.connect(flags.client, { broker, ...CLIENT }), HANDED_OVER);
  assert.deepEqual(await host.complaints(started, broker), []);
  for (const { service, left } of crippled) {
    const seen = await host.connect(flags.client, { broker, ...CLIENT, service });
    assert.notDeepEqual(seen, HANDED_OVER, `a backend without ${left}`);
  }
  await started[Symbol.asyncDispose]();
  for (const [left, rest] of withoutOne(flags["launching-broker"])) {
    const other = await host.startBroker(rest, args);
    const seen = other === undefined ? "no broker" : await host.connect(flags.client, { broker, ...CLIENT });
    assert.notDeepEqual(seen, HANDED_OVER, `a launching broker without ${left}`);
    await other?.[Symbol.asyncDispose]();
  }
});
