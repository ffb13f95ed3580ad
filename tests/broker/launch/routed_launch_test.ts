import assert from "node:assert/strict";
import test from "node:test";
import { BackendRegistry } from "../../../src/broker/backend_registry.ts";
import type { BackendRequest } from "../../../src/broker/backend_source.ts";
import { HelloRouter } from "../../../src/broker/hello_router.ts";
import { CrashRecovery } from "../../../src/broker/launch/crash_recovery.ts";
import { EndpointAllocator } from "../../../src/broker/launch/endpoint_allocator.ts";
import { LaunchingService } from "../../../src/broker/launch/launching_service.ts";
import { SpawnCoordinator } from "../../../src/broker/launch/spawn_coordinator.ts";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { ServiceDefinitionLoader } from "../../../src/service/service_definition_loader.ts";
import { ErrorCode, HelloSchema } from "../../../src/wire/gen/broker_v1_envelope_pb.ts";
import { decodeStrict } from "../../../src/wire/strict_decode.ts";
import { makeDefinition, makeDefinitionDir } from "../../service/_definition.ts";
import { backendOf } from "../_backends.ts";
import { helloFrame } from "../_hello.ts";

/** A router whose backends are started when they are missing, as far as a budget of one launch goes. */
async function start(succeeds: boolean) {
  const dir = await makeDefinitionDir(makeDefinition());
  const registry = new BackendRegistry(() => true);
  const launches: BackendRequest[] = [];
  const source = new LaunchingService({
    registry,
    coordinator: new SpawnCoordinator({ attemptsMax: 1 }),
    crashes: new CrashRecovery(),
    clock: () => 0,
    unixNowMs: () => 0,
    observe: () => {},
    signal: new CancelSource(),
    launch: (request) => {
      launches.push(request);
      return succeeds ? Promise.resolve(backendOf(request.key)) : Promise.reject(new Error("no luck"));
    },
  });
  const definitions = new ServiceDefinitionLoader(dir.services);
  const router = new HelloRouter({ definitions, registry, source, observe: () => {} });
  const route = async (wantedVersion: string) => {
    const trace = { traceparent: "00-trace", tracestate: "v=1" };
    const frame = helloFrame({ serviceName: "svc", wantedVersion, ...trace });
    return await router.route(decodeStrict(HelloSchema, frame.payload), frame);
  };
  return { launches, route, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

test("a miss launches once, with the trace of its Hello; the next Hello finds what was launched", async () => {
  await using started = await start(true);
  const first = await started.route("1.2.3");
  assert.ok(first.kind === "backend");
  assert.deepEqual(await started.route("1.2.3"), first);
  assert.equal(started.launches.length, 1);
  const [{ key, definition, frame }] = started.launches as [BackendRequest];
  assert.deepEqual(key, { instanceId: "shared", service: "svc", version: "1.2.3" });
  assert.equal(definition.serviceName, "svc");
  assert.deepEqual([frame.traceparent, frame.tracestate], ["00-trace", "v=1"]);
});

test("of many versions each is launched as often as its own budget says", async () => {
  await using started = await start(false);
  const versions = Array.from({ length: 20 }, (_, patch) => `1.2.${patch}`);
  const codes = async () => {
    const seen = new Set<number | undefined>();
    for (const version of versions) {
      const route = await started.route(version);
      seen.add(route.kind === "refused" ? route.refusal.code : undefined);
    }
    return seen;
  };
  assert.deepEqual(await codes(), new Set([ErrorCode.ERROR_BACKEND_SPAWN_FAILED]));
  assert.equal(started.launches.length, versions.length);
  assert.deepEqual(await codes(), new Set([ErrorCode.ERROR_RATE_LIMITED]));
  assert.equal(started.launches.length, versions.length);
});

test("an allocator for a user hash that is none says so when it is asked for a name", () => {
  const allocator = () =>
    new EndpointAllocator("NO-HASH", (length) => new Uint8Array(length)).allocate("shared");
  assert.throws(allocator, { name: "EndpointNameError" });
});
