import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { CancelSource } from "../../../src/cancel_signal.ts";
import type { BackendRequest } from "../../../src/broker/backend_source.ts";
import {
  backendKeyText,
  BackendRegistry,
  type RegisteredBackend,
} from "../../../src/broker/backend_registry.ts";
import type { BrokerEvent } from "../../../src/broker/broker_event.ts";
import { CrashRecovery } from "../../../src/broker/launch/crash_recovery.ts";
import { LaunchError } from "../../../src/broker/launch/launch_error.ts";
import { LaunchingService } from "../../../src/broker/launch/launching_service.ts";
import { SpawnCoordinator } from "../../../src/broker/launch/spawn_coordinator.ts";
import { SpawnLockError } from "../../../src/broker/launch/spawn_lock_error.ts";
import { ServiceDefinitionSchema } from "../../../src/wire/gen/broker_v1_service_def_pb.ts";
import { until } from "../../support/waiting.ts";
import { backendOf } from "../_backends.ts";

const REQUEST: BackendRequest = {
  key: backendOf().key,
  definition: create(ServiceDefinitionSchema, { serviceName: "svc" }),
  frame: { deadlineUnixMs: 0n, traceparent: "", tracestate: "" },
};
const crash = () => new LaunchError("Exited", "it crashed");

/** A service whose launches end as they are told to, one after the other. */
function makeService(outcomes: (RegisteredBackend | Error)[], retryAfterMs = 1, attemptsMax = 3) {
  const events: BrokerEvent[] = [];
  const launchedAt: number[] = [];
  const abort = new CancelSource();
  const coordinator = new SpawnCoordinator({ attemptsMax });
  const time = { nowMs: 1_000 };
  const service = new LaunchingService({
    registry: new BackendRegistry(() => true),
    coordinator,
    crashes: new CrashRecovery({ retryAfterMs }),
    clock: () => time.nowMs,
    unixNowMs: () => 0,
    observe: (event) => events.push(event),
    signal: abort,
    launch: () => {
      launchedAt.push(performance.now());
      const outcome = outcomes.shift() ?? new Error("one launch too many");
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
  });
  const budget = () => coordinator.snapshot(backendKeyText(REQUEST.key), time.nowMs);
  return { service, events, launchedAt, abort, time, budget, obtain: () => service.obtain(REQUEST) };
}

test("a backend that crashes at its start is launched again for all who wait, after the pause", async () => {
  const backend = backendOf();
  const { service, launchedAt, events, budget } = makeService([crash(), backend], 40);
  const waiting = Array.from({ length: 100 }, () => service.obtain(REQUEST));
  for (const route of await Promise.all(waiting)) assert.deepEqual(route, { kind: "backend", backend });
  assert.equal(launchedAt.length, 2);
  // Timers may be early by a fraction of a millisecond.
  assert.ok(launchedAt[1]! - launchedAt[0]! >= 38, String(launchedAt));
  assert.deepEqual(events.map(({ kind }) => kind), ["backend-launch-failed", "backend-launched"]);
  assert.equal(budget().attemptsUsed, 0);
});

test("a backend that crashes again is refused for the rest of the window; each launch costs an attempt", async () => {
  const { obtain, launchedAt, time, budget } = makeService([crash(), crash(), crash()]);
  const reason = "backend spawn failed: it crashed";
  assert.deepEqual(await obtain(), { kind: "refused", refusal: { code: 3, reason, retryAfterMs: 30_000n } });
  assert.deepEqual([launchedAt.length, budget().remaining, budget().inFlight], [2, 1, false]);
  time.nowMs += 10_000;
  assert.deepEqual(await obtain(), { kind: "refused", refusal: { code: 3, reason, retryAfterMs: 20_000n } });
  assert.equal(launchedAt.length, 3);
  assert.deepEqual(await obtain(), {
    kind: "refused",
    refusal: { code: 4, reason: "backend spawn budget exhausted", retryAfterMs: 20_000n },
  });
  assert.equal(launchedAt.length, 3);
});

test("a second launch that the budget has no room for is not made", async () => {
  const { obtain, launchedAt } = makeService([crash(), backendOf()], 1, 1);
  assert.deepEqual(await obtain(), {
    kind: "refused",
    refusal: { code: 4, reason: "backend spawn budget exhausted", retryAfterMs: 30_000n },
  });
  assert.equal(launchedAt.length, 1);
});

test("a backend that served may crash at its next start, too", async () => {
  const { obtain, launchedAt } = makeService([crash(), backendOf(), crash(), backendOf()]);
  for (const launches of [2, 4]) {
    assert.equal((await obtain()).kind, "backend");
    assert.equal(launchedAt.length, launches);
  }
});

test("nothing but a crash is tried again", async () => {
  for (const kind of ["Timeout", "NotTheChild", "Spawn", "Label"] as const) {
    const { obtain, launchedAt } = makeService([new LaunchError(kind, "no"), backendOf()]);
    const route = await obtain();
    assert.ok(route.kind === "refused" && route.refusal.retryAfterMs === 1_000n, kind);
    assert.equal(launchedAt.length, 1, kind);
  }
});

test("a pause before the second launch ends when the broker stops", async () => {
  const { obtain, launchedAt, abort, budget, events } = makeService([crash(), backendOf()], 60_000);
  const waiting = obtain();
  await until("the first launch has failed", () => events.length === 1);
  assert.equal(budget().inFlight, true);
  abort.abort(new Error("stops"));
  const refusal = { code: 5, reason: "broker is shutting down" };
  assert.deepEqual(await waiting, { kind: "refused", refusal });
  await until("the launch is over", () => !budget().inFlight);
  assert.equal(launchedAt.length, 1);
});

test("a launch that another broker is at all the time is one in progress", async () => {
  const { obtain } = makeService([new SpawnLockError("AlreadyLocked", "/run/lock", "is held")]);
  assert.deepEqual(await obtain(), {
    kind: "refused",
    refusal: { code: 4, reason: "backend spawn already in progress", retryAfterMs: 1000n },
  });
  const broken = makeService([new SpawnLockError("Open", "/run/lock", "cannot be opened")]);
  const route = await broken.obtain();
  assert.equal(route.kind === "refused" && route.refusal.code, 3);
});

test("a backend that was found and not launched is reported as adopted", async () => {
  const { obtain, events } = makeService([backendOf({}, { adopted: true })]);
  assert.equal((await obtain()).kind, "backend");
  assert.deepEqual(events, [{ kind: "backend-adopted", service: "svc", version: "1.2.3", pid: 4242 }]);
});
