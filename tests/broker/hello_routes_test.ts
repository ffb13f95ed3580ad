import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import test from "node:test";
import type { BackendRequest } from "../../src/broker/backend_source.ts";
import { BackendRegistry, type RegisteredBackend } from "../../src/broker/backend_registry.ts";
import { HelloRouter } from "../../src/broker/hello_router.ts";
import { REFUSALS } from "../../src/broker/refusals.ts";
import { ServiceDefinitionLoader } from "../../src/service/service_definition_loader.ts";
import { ErrorCode, HelloSchema } from "../../src/wire/gen/broker_v1_envelope_pb.ts";
import type { ServiceDefinition } from "../../src/wire/gen/broker_v1_service_def_pb.ts";
import { decodeStrict } from "../../src/wire/strict_decode.ts";
import { makeDefinition, makeDefinitionDir, putDefinition } from "../service/_definition.ts";
import { backendOf } from "./_backends.ts";
import { helloFrame, helloHandler, request } from "./_hello.ts";

/** A router over a folder of definitions whose source has no backend. */
async function start(definition: ServiceDefinition | undefined, ...backends: RegisteredBackend[]) {
  const dir = await makeDefinitionDir(...(definition === undefined ? [] : [definition]));
  const registry = new BackendRegistry(() => true);
  for (const backend of backends) registry.insert(backend);
  const asked: BackendRequest[] = [];
  const router = new HelloRouter({
    definitions: new ServiceDefinitionLoader(dir.services),
    registry,
    source: {
      obtain: (wanted) => {
        asked.push(wanted);
        return Promise.resolve({ kind: "refused", refusal: REFUSALS.notRegistered });
      },
    },
    observe: () => {},
  });
  const route = async (wantedVersion = "1.2.3", serviceName = "svc") => {
    const frame = helloFrame({ serviceName, wantedVersion });
    return await router.route(decodeStrict(HelloSchema, frame.payload), frame);
  };
  return { dir, router, registry, asked, route, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

test("a Hello goes to the registered backend of its definition", async () => {
  const backend = backendOf();
  await using started = await start(makeDefinition(), backend);
  assert.deepEqual(await started.route(), { kind: "backend", backend });
  const handler = helloHandler({ route: (hello, frame) => started.router.route(hello, frame) });
  const answer = await handler.answer(request(helloFrame({ serviceName: "svc", wantedVersion: "1.2.3" })));
  assert.ok(answer.kind === "negotiated");
  const { daemonVersion, backendPipe } = answer.negotiated;
  assert.deepEqual([daemonVersion, backendPipe], ["1.2.3", "/run/svc-1.2.3.sock"]);
  assert.deepEqual(started.asked, []);
});

test("the definition is read again for every Hello", async () => {
  await using started = await start(makeDefinition(), backendOf());
  assert.equal((await started.route()).kind, "backend");
  putDefinition(`${started.dir.services}/svc.servicedef`, makeDefinition({ minVersion: "20.0.0" }));
  assert.deepEqual(await started.route(), { kind: "refused", refusal: REFUSALS.belowMinVersion });
  rmSync(`${started.dir.services}/svc.servicedef`);
  assert.deepEqual(await started.route(), { kind: "refused", refusal: REFUSALS.definitionMissing });
});

test("a service without a definition is unknown, without a hint to try again", async () => {
  await using started = await start(undefined);
  assert.deepEqual(await started.route(), {
    kind: "refused",
    refusal: { code: ErrorCode.ERROR_SERVICE_UNKNOWN, reason: "service definition was not found" },
  });
  assert.deepEqual(started.asked, []);
});

test("a version below the minimum is blocked, to be asked for again in 30 s", async () => {
  await using started = await start(makeDefinition({ minVersion: "1.10.0" }), backendOf());
  assert.deepEqual(await started.route("1.9.9"), {
    kind: "refused",
    refusal: {
      code: ErrorCode.ERROR_VERSION_BLOCKED,
      reason: "wanted_version is below min_version",
      retryAfterMs: 30_000n,
    },
  });
});

test("a version outside the allow list is blocked, to be asked for again in 30 s", async () => {
  await using started = await start(makeDefinition({ versionAllowList: ["1.2.3"] }), backendOf());
  assert.equal((await started.route()).kind, "backend");
  assert.deepEqual(await started.route("1.2.4"), {
    kind: "refused",
    refusal: {
      code: ErrorCode.ERROR_VERSION_BLOCKED,
      reason: "wanted_version is not in version_allow_list",
      retryAfterMs: 30_000n,
    },
  });
});

test("a Hello that no backend is registered for goes to where backends come from, and back refused", async () => {
  await using started = await start(makeDefinition());
  const refusal = REFUSALS.notRegistered;
  assert.deepEqual(await started.route(), { kind: "refused", refusal });
  assert.equal(refusal.code, ErrorCode.ERROR_BACKEND_SPAWN_FAILED);
  assert.deepEqual(started.asked.map(({ key }) => key), [backendOf().key]);
});

test("a definition of a private or explicit instance never leads to another instance's backend", async () => {
  await using started = await start(makeDefinition({ isolation: 0 }), backendOf());
  assert.deepEqual(await started.route(), { kind: "refused", refusal: REFUSALS.notRegistered });
  assert.equal(started.asked[0]?.key.instanceId, "private:svc");
  const own = backendOf({ instanceId: "private:svc" });
  started.registry.insert(own);
  assert.deepEqual(await started.route(), { kind: "backend", backend: own });
  putDefinition(
    `${started.dir.services}/svc.servicedef`,
    makeDefinition({ isolation: 2, explicitInstance: "ci-trusted" }),
  );
  assert.equal((await started.route()).kind, "refused");
  assert.equal(started.asked[1]?.key.instanceId, "explicit:ci-trusted");
});
