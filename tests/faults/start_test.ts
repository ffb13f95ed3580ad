import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { BrokerError, connectLocalSocket, serveBackend, serveBroker } from "../../mod.ts";
import { SERVICE, VERSION } from "../support/topology.ts";
import { requireConfigError, requireTakenError } from "./config_error.ts";
import { requireServed, startLocalBackend, startLocalBroker } from "./local_pair.ts";
import { readToEnd } from "./play_hostile.ts";
import { within } from "../support/waiting.ts";

const served = await startLocalBackend();
after(() => served[Symbol.asyncDispose]());

/** Starts a broker that is not to start. */
function start(options: Partial<Parameters<typeof serveBroker>[0]> = {}) {
  const backend = { service: SERVICE, version: VERSION, endpoint: served.endpoint };
  const endpoint = served.dir.join("never.sock");
  return serveBroker({ endpoint, serviceDefinitionDir: served.definitions, backend, ...options });
}

describe("a broker does not start, and says what was found and what to do, when there is", () => {
  after(() => assert.equal(readdirSync(served.dir.path).includes("never.sock"), false));

  test("no directory of definitions", () =>
    requireConfigError(
      start({ serviceDefinitionDir: served.dir.join("nowhere") }),
      /Cannot serve "my-daemon": .*No such file.*; write .*nowhere\/my-daemon\.servicedef" anew/s,
    ));

  test("no definition of its service", () => {
    const backend = { service: "undefined-service", version: VERSION, endpoint: served.endpoint };
    const message =
      /Cannot serve "undefined-service": .*No such file.*; write .*\/undefined-service\.servicedef" anew/s;
    return requireConfigError(start({ backend }), message);
  });

  test("a directory of definitions that others may enter", async () => {
    const open = served.dir.join("open");
    mkdirSync(open);
    chmodSync(open, 0o755);
    await requireConfigError(
      start({ serviceDefinitionDir: open }),
      /Cannot serve "my-daemon": .*insecure permissions: .*open.*; run chmod 700/s,
    );
  });

  test("a definition that is none", async () => {
    const broken = served.dir.join("broken");
    mkdirSync(broken, 0o700);
    writeFileSync(`${broken}/${SERVICE}.servicedef`, Uint8Array.of(0xff, 0xff));
    const message =
      /Cannot serve "my-daemon": .*decode failed.*; write .*broken\/my-daemon\.servicedef" anew/s;
    await requireConfigError(start({ serviceDefinitionDir: broken }), message);
  });

  test("a version that the definition forbids", () => {
    const backend = { service: SERVICE, version: "0.1.0", endpoint: served.endpoint };
    return requireConfigError(start({ backend }), /version "0\.1\.0" is below min_version/);
  });

  test("no name for the backend's endpoint", () => {
    const backend = { service: SERVICE, version: VERSION, endpoint: "" };
    return requireConfigError(start({ backend }), /the backend endpoint is empty/);
  });

  test("nobody behind the backend's endpoint", async () => {
    const backend = { service: SERVICE, version: VERSION, endpoint: served.dir.join("nobody.sock") };
    const error = await start({ backend }).then(() => undefined, (reason: unknown) => reason);
    assert.ok(BrokerError.is(error));
    assert.equal(error.code, "os");
    assert.match(error.message, /Cannot connect to ".*nobody\.sock": ENOENT/);
  });
});

test("a second broker on the same endpoint is turned away, and the first one serves on", async () => {
  await using first = await startLocalBroker(served);
  const { ino } = lstatSync(first.endpoint);
  const message = /a process serves it \(pid \d+\); stop that process or choose another endpoint/;
  await requireTakenError(start({ endpoint: first.endpoint }), message);
  assert.equal(lstatSync(first.endpoint).ino, ino);
  assert.equal(await requireServed(first), "handle-passed");
  // It was asked politely whether it lives.
  assert.equal(first.events.of("admin").length, 1);
  assert.deepEqual(first.events.of("connection-failed"), []);
});

test("a second backend on the same endpoints is turned away, and the first one serves on", async () => {
  await using broker = await startLocalBroker(served);
  const { endpoint, handoffEndpoint } = served;
  const own = served.dir.join("second.sock");
  const places = [
    { endpoint, handoffEndpoint },
    { endpoint: own, handoffEndpoint },
    { endpoint, handoffEndpoint: own },
  ];
  for (const place of places) {
    const options = { service: SERVICE, version: VERSION, namespace: "shared", ...place };
    await requireTakenError(serveBackend(options), /a process serves it/);
    assert.equal(readdirSync(served.dir.path).includes("second.sock"), false, "its own name is gone again");
  }
  assert.equal(await requireServed(broker), "handle-passed");
});

test("a broker that stops takes its name along, and drops who said nothing yet", async () => {
  const broker = await startLocalBroker(served);
  const silent = await connectLocalSocket(broker.endpoint);
  await requireServed(broker);
  await broker.broker.close();
  assert.equal((await within("the end of the silent client", readToEnd(silent))).length, 0);
  silent.close();
  assert.throws(() => lstatSync(broker.endpoint), /ENOENT/);
});

test("a broker that stops leaves its name to whoever took it over", async () => {
  const first = await startLocalBroker(served);
  renameSync(first.endpoint, `${first.endpoint}.old`);
  await using second = await startLocalBroker(served, { endpoint: first.endpoint });
  await first.broker.close();
  assert.equal(await requireServed(second), "handle-passed");
});
