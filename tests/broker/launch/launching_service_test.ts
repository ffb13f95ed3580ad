import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { CancelSource } from "../../../src/cancel_signal.ts";
import type { BackendRequest } from "../../../src/broker/backend_source.ts";
import { BackendRegistry, type RegisteredBackend } from "../../../src/broker/backend_registry.ts";
import type { BrokerEvent } from "../../../src/broker/broker_event.ts";
import { CrashRecovery } from "../../../src/broker/launch/crash_recovery.ts";
import {
  LAUNCH_WAITERS_MAX,
  LAUNCHES_MAX,
  LaunchingService,
} from "../../../src/broker/launch/launching_service.ts";
import { SpawnCoordinator } from "../../../src/broker/launch/spawn_coordinator.ts";
import { DaemonProcessSchema } from "../../../src/wire/gen/broker_v1_manifest_pb.ts";
import { ServiceDefinitionSchema } from "../../../src/wire/gen/broker_v1_service_def_pb.ts";
import { type Deferred, deferred, turns } from "../../support/waiting.ts";

const UNIX_NOW_MS = 1_000_000;

/** A service whose launches the test ends. */
class Bench {
  readonly launches: { request: BackendRequest; result: Deferred<RegisteredBackend> }[] = [];
  readonly events: BrokerEvent[] = [];
  readonly registry = new BackendRegistry(() => true);
  readonly abort = new CancelSource();
  readonly service = new LaunchingService({
    registry: this.registry,
    coordinator: new SpawnCoordinator(),
    crashes: new CrashRecovery({ retryAfterMs: 1 }),
    clock: () => 0,
    unixNowMs: () => UNIX_NOW_MS,
    observe: (event) => this.events.push(event),
    signal: this.abort,
    launch: (request) => {
      const result = deferred<RegisteredBackend>();
      this.launches.push({ request, result });
      return result.promise;
    },
  });

  obtain(version: string, deadlineUnixMs = 0n) {
    return this.service.obtain(request(version, deadlineUnixMs));
  }
}

function request(version: string, deadlineUnixMs = 0n): BackendRequest {
  return {
    key: { instanceId: "shared", service: "my-daemon", version },
    definition: create(ServiceDefinitionSchema, { serviceName: "my-daemon" }),
    frame: { deadlineUnixMs, traceparent: "", tracestate: "" },
  };
}

function backend(version: string): RegisteredBackend {
  return {
    key: request(version).key,
    daemonVersion: version,
    backendPipe: "/tmp/be.sock",
    serverCapabilities: 0n,
    handoffEndpoint: undefined,
    identity: create(DaemonProcessSchema, { pid: 42 }),
    process: { pid: 42, startMark: "1" },
  };
}

const IN_PROGRESS = {
  kind: "refused",
  refusal: { code: 4, reason: "backend spawn already in progress", retryAfterMs: 1000n },
};

test("LaunchingService lets every Hello for a key wait for one launch", async () => {
  const bench = new Bench();
  const waiting = Array.from({ length: 100 }, () => bench.obtain("1.0.0"));
  const other = bench.obtain("2.0.0");
  await turns();
  assert.deepEqual(bench.launches.map(({ request }) => request.key.version), ["1.0.0", "2.0.0"]);
  const launched = backend("1.0.0");
  bench.launches[0]!.result.resolve(launched);
  for (const route of await Promise.all(waiting)) {
    assert.deepEqual(route, { kind: "backend", backend: launched });
  }
  assert.equal(bench.registry.find(launched.key).backend, launched);
  bench.launches[1]!.result.resolve(backend("2.0.0"));
  await other;
});

test("LaunchingService tells all who wait why a launch failed, and launches again, three times in a window", async () => {
  const bench = new Bench();
  const reason = "backend spawn failed: no luck";
  for (let attempt = 1; attempt <= 3; attempt++) {
    const waiting = [bench.obtain("1.0.0"), bench.obtain("1.0.0")];
    await turns();
    assert.equal(bench.launches.length, attempt);
    bench.launches.at(-1)!.result.reject(new Error("no luck"));
    for (const route of await Promise.all(waiting)) {
      assert.deepEqual(route, { kind: "refused", refusal: { code: 3, reason, retryAfterMs: 1000n } });
    }
  }
  assert.deepEqual(await bench.obtain("1.0.0"), {
    kind: "refused",
    refusal: { code: 4, reason: "backend spawn budget exhausted", retryAfterMs: 30_000n },
  });
  assert.deepEqual(bench.events.map(({ kind }) => kind), Array(3).fill("backend-launch-failed"));
});

test("LaunchingService refuses a Hello whose deadline passes, and goes on with the launch", async () => {
  const bench = new Bench();
  assert.deepEqual(await bench.obtain("1.0.0", BigInt(UNIX_NOW_MS + 5)), IN_PROGRESS);
  assert.deepEqual(await bench.obtain("1.0.0", BigInt(UNIX_NOW_MS - 5)), IN_PROGRESS);
  const patient = bench.obtain("1.0.0");
  bench.launches[0]!.result.resolve(backend("1.0.0"));
  assert.equal((await patient).kind, "backend");
  assert.equal(bench.launches.length, 1);
});

test("LaunchingService refuses at once what is too many to wait or to launch", async () => {
  const bench = new Bench();
  const waiting = Array.from({ length: LAUNCH_WAITERS_MAX }, () => bench.obtain("0.0.0"));
  assert.deepEqual(await bench.obtain("0.0.0"), IN_PROGRESS);
  const launching = Array.from({ length: LAUNCHES_MAX - 1 }, (_, index) => bench.obtain(`1.0.${index}`));
  assert.deepEqual(await bench.obtain("9.0.0"), IN_PROGRESS);
  for (const { request, result } of bench.launches) result.resolve(backend(request.key.version));
  for (const route of await Promise.all([...waiting, ...launching])) assert.equal(route.kind, "backend");
});

test("LaunchingService refuses those who wait when the broker stops", async () => {
  const bench = new Bench();
  const waiting = bench.obtain("1.0.0");
  await turns();
  bench.abort.abort(new Error("stops"));
  const refusal = { code: 5, reason: "broker is shutting down" };
  assert.deepEqual(await waiting, { kind: "refused", refusal });
  bench.launches[0]!.result.reject(new Error("stops"));
});
