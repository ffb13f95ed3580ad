import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { BackendRegistry, type RegisteredBackend } from "../../src/broker/backend_registry.ts";
import type { BackendRequest } from "../../src/broker/backend_source.ts";
import type { BrokerEvent } from "../../src/broker/broker_event.ts";
import { HelloHandler } from "../../src/broker/hello_handler.ts";
import { HelloRateLimiter } from "../../src/broker/hello_rate_limiter.ts";
import { HelloRouter } from "../../src/broker/hello_router.ts";
import { REFUSALS } from "../../src/broker/refusals.ts";
import { ServiceDefinitionLoader } from "../../src/service/service_definition_loader.ts";
import type { HelloSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import { tokenStore } from "../handoff/_support.ts";
import { makeDefinition, makeDefinitionDir, putDefinition } from "../service/_definition.ts";
import { hello, helloFrame, registeredBackend } from "./_hello_values.ts";

type Fields = MessageInitShape<typeof HelloSchema>;
const ASK: Fields = { serviceName: "svc", wantedVersion: "1.2.3" };

/** A router over real files, whose source has no backends and remembers what it was asked. */
function routerOver(definitions: ServiceDefinitionLoader, backends: readonly RegisteredBackend[] = []) {
  let isAlive = true;
  const registry = new BackendRegistry(() => isAlive);
  for (const backend of backends) registry.insert(backend);
  const events: BrokerEvent[] = [];
  const asked: BackendRequest[] = [];
  const router = new HelloRouter({
    definitions,
    registry,
    observe: (event) => void events.push(event),
    source: {
      obtain(request) {
        asked.push(request);
        return Promise.resolve({ kind: "refused", refusal: REFUSALS.notRegistered });
      },
    },
  });
  const route = (fields: Fields = {}) => router.route(hello({ ...ASK, ...fields }), helloFrame(ASK));
  return { router, registry, events, asked, route, die: () => isAlive = false };
}

/** The refusal of a Hello, in one line: code, words, milliseconds of the hint. */
async function refusalOf(definitions: ServiceDefinitionLoader, fields: Fields = {}): Promise<string> {
  const { route, asked } = routerOver(definitions);
  const found = await route(fields);
  assert.ok(found.kind === "refused");
  assert.equal(asked.length, 0, "the source was asked");
  const { code, reason, retryAfterMs = 0n } = found.refusal;
  return `${code} ${reason} (${retryAfterMs})`;
}

test("a service without a definition, and one without even a directory, are unknown", async () => {
  await using dir = await makeDefinitionDir();
  const wanted = "2 service definition was not found (0)";
  assert.equal(await refusalOf(new ServiceDefinitionLoader(dir.services)), wanted);
  assert.equal(await refusalOf(new ServiceDefinitionLoader(dir.join("nowhere"))), wanted);
});

test("a bad name is refused as such, in the request and inside the file", async () => {
  await using dir = await makeDefinitionDir(makeDefinition());
  const loader = new ServiceDefinitionLoader(dir.services);
  const wanted = "6 invalid service_name (0)";
  assert.equal(await refusalOf(loader, { serviceName: "../svc" }), wanted);
  putDefinition(`${dir.services}/other.servicedef`, makeDefinition({ serviceName: "Other" }));
  assert.equal(await refusalOf(loader, { serviceName: "other" }), wanted);
  putDefinition(`${dir.services}/old.servicedef`, makeDefinition({ serviceName: "old", minVersion: "1.x" }));
  assert.equal(await refusalOf(loader, { serviceName: "old" }), wanted);
});

test("a definition that cannot be loaded is refused with the reference's words for it", async () => {
  await using dir = await makeDefinitionDir();
  const loader = new ServiceDefinitionLoader(dir.services);
  const prefix = "2 service definition could not be loaded: service-definition";
  const path = `${dir.services}/svc.servicedef`;

  writeFileSync(path, Uint8Array.of(0xff));
  assert.match(await refusalOf(loader), new RegExp(`^${prefix} protobuf decode failed: .* \\(0\\)$`));
  putDefinition(path, makeDefinition({ serviceName: "other" }));
  assert.equal(await refusalOf(loader), `${prefix} requested "svc" but file declares "other" (0)`);
  putDefinition(path, makeDefinition({ binaryPath: "relative" }));
  const invalid = `${prefix} binary_path is invalid: "relative" (must be absolute) (0)`;
  assert.equal(await refusalOf(loader), invalid);
  putDefinition(path, makeDefinition({ isolation: 9 as never }));
  assert.equal(
    await refusalOf(loader),
    `${prefix} isolation is invalid: unknown BrokerIsolation value (0)`,
  );
  mkdirSync(`${dir.services}/folder.servicedef`);
  assert.equal(
    await refusalOf(loader, { serviceName: "folder" }),
    `${prefix} I/O failed: not a regular file (0)`,
  );
  putDefinition(path, makeDefinition());
  chmodSync(dir.services, 0o755);
  assert.equal(await refusalOf(loader), `${prefix} directory has insecure permissions: ${dir.services} (0)`);
});

test("a blocked version is refused with a hint, the minimum before the list", async () => {
  const below = "8 wanted_version is below min_version (30000)";
  const outside = "8 wanted_version is not in version_allow_list (30000)";
  await using dir = await makeDefinitionDir(
    makeDefinition({ minVersion: "2.0.0", versionAllowList: ["1.2.3", "3.0.0"] }),
  );
  const loader = new ServiceDefinitionLoader(dir.services);
  assert.equal(await refusalOf(loader, { wantedVersion: "1.2.3" }), below);
  assert.equal(await refusalOf(loader, { wantedVersion: "2.0.0" }), outside);
  const { route, asked } = routerOver(loader);
  await route({ wantedVersion: "3.0.0" });
  assert.equal(asked.length, 1);
});

test("an instance that cannot be resolved is the broker's own failure", async () => {
  // The loader refuses such a file itself, so this takes one that does not.
  const definition = makeDefinition({ isolation: 9 as never });
  const loader = { loadSync: () => definition } as unknown as ServiceDefinitionLoader;
  const why = "broker instance isolation is invalid: unknown BrokerIsolation value";
  assert.equal(await refusalOf(loader), `7 service isolation could not be resolved: ${why} (0)`);
});

test("an error that is none of the loader's is refused with its message", async () => {
  const loader = {
    loadSync() {
      throw new Error("disk on fire");
    },
  } as unknown as ServiceDefinitionLoader;
  assert.equal(await refusalOf(loader), "2 service definition could not be loaded: disk on fire (0)");
});

test("a backend is found under instance, service and version of the definition", async () => {
  await using dir = await makeDefinitionDir(makeDefinition());
  const loader = new ServiceDefinitionLoader(dir.services);
  const backend = registeredBackend({ key: { instanceId: "shared", service: "svc", version: "1.2.3" } });
  const { route, asked } = routerOver(loader, [backend]);
  assert.deepEqual(await route(), { kind: "backend", backend });
  assert.equal(asked.length, 0);
  for (
    const [isolation, explicitInstance, instanceId] of [[0, "", "private:svc"], [
      2,
      "lab",
      "explicit:lab",
    ]] as const
  ) {
    putDefinition(`${dir.services}/svc.servicedef`, makeDefinition({ isolation, explicitInstance }));
    assert.equal((await route()).kind, "refused");
    assert.equal(asked.at(-1)?.key.instanceId, instanceId);
  }
  putDefinition(`${dir.services}/svc.servicedef`, makeDefinition());
  assert.equal((await route({ wantedVersion: "1.2.4" })).kind, "refused");
  assert.deepEqual(asked.at(-1)?.key, { instanceId: "shared", service: "svc", version: "1.2.4" });
});

test("a backend whose process is gone is reported once and asked for again", async () => {
  await using dir = await makeDefinitionDir(makeDefinition());
  const loader = new ServiceDefinitionLoader(dir.services);
  const backend = registeredBackend({ key: { instanceId: "shared", service: "svc", version: "1.2.3" } });
  const { route, asked, events, die, registry } = routerOver(loader, [backend]);
  await route();
  assert.deepEqual([asked.length, events.length], [0, 0]);
  die();
  assert.equal((await route()).kind, "refused");
  assert.equal((await route()).kind, "refused");
  assert.equal(asked.length, 2);
  assert.deepEqual(events, [{ kind: "backend-lost", service: "svc", version: "1.2.3", pid: 4242 }]);
  assert.deepEqual(registry.list(), []);
});

test("the source is given the definition as it is on disk now, and the Hello's frame", async () => {
  await using dir = await makeDefinitionDir(makeDefinition({ minVersion: "1.0.0" }));
  const { router, asked } = routerOver(new ServiceDefinitionLoader(dir.services));
  const frame = helloFrame(ASK, { traceparent: "00-trace", deadlineUnixMs: 77n });
  await router.route(hello(ASK), frame);
  putDefinition(`${dir.services}/svc.servicedef`, makeDefinition({ minVersion: "1.1.0" }));
  await router.route(hello(ASK), frame);
  assert.deepEqual(asked.map(({ definition }) => definition.minVersion), ["1.0.0", "1.1.0"]);
  assert.equal(asked[0]?.frame, frame);
});

test("a Hello whose protocol or shape is wrong never reaches the definitions", async () => {
  let loads = 0;
  const definitions = {
    loadSync() {
      loads++;
      return makeDefinition();
    },
  } as unknown as ServiceDefinitionLoader;
  const { router, asked } = routerOver(definitions);
  const handler = new HelloHandler<RegisteredBackend>({
    tokens: tokenStore(),
    rate: new HelloRateLimiter(),
    route: (hello, frame) => router.route(hello, frame),
    mayHandOver: () => true,
  });
  const answer = (fields: Fields, peerPid = 0) =>
    handler.answer({ frame: helloFrame({ ...ASK, ...fields }), peerPid, residueBytes: 0, nowMs: 0 });
  const bad: [Fields, string][] = [
    [{ clientMinProtocol: 2, clientMaxProtocol: 3 }, "client protocol range does not include v1"],
    [{ serviceName: "No" }, "invalid service_name"],
    [{ wantedVersion: "1" }, "invalid wanted_version"],
    [{ clientVersion: "x".repeat(200) }, "client_version exceeds 128 bytes"],
    [{ clientLibName: "x".repeat(200) }, "client_lib fields exceed 64 bytes"],
    [{ peerPid: 8 }, "peer_pid does not match verified peer"],
  ];
  for (const [fields, reason] of bad) {
    const refused = await answer(fields, 9);
    assert.ok(refused.kind === "refused");
    assert.equal(refused.refusal.reason, reason);
  }
  assert.deepEqual([loads, asked.length], [0, 0]);
  await answer({});
  assert.deepEqual([loads, asked.length], [1, 1]);
});
