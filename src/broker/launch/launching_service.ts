import type { CancelSignal } from "../../cancel_signal.ts";
import { ErrorCode } from "../../wire/gen/broker_v1_envelope_pb.ts";
import type { BackendRequest, BackendSource } from "../backend_source.ts";
import { backendKeyText, type BackendRegistry, type RegisteredBackend } from "../backend_registry.ts";
import type { BrokerObserver } from "../broker_event.ts";
import type { Clock } from "../clock.ts";
import { errorDetail } from "../error_detail.ts";
import type { HelloRoute } from "../hello_handler.ts";
import { BACKEND_RETRY_MS, refusal, REFUSALS } from "../refusals.ts";
import type { CrashRecovery } from "./crash_recovery.ts";
import { LaunchError } from "./launch_error.ts";
import { sleep } from "../../sleep.ts";
import type { SpawnCoordinator, SpawnDecision } from "./spawn_coordinator.ts";
import { SpawnLockError } from "./spawn_lock_error.ts";
import { SPAWN_WAIT_CEILING_MS } from "./spawn_wait.ts";

/** Hellos that wait for one launch: over half of the open connections are left to other services. */
export const LAUNCH_WAITERS_MAX = 192;
/** Launches at once: a client chooses the versions it asks for, and each is a process. */
export const LAUNCHES_MAX = 16;
/** Milliseconds a client that names no deadline waits: it is likely to give up at 30 s, and an answer takes time. */
export const LAUNCH_CLIENT_WAIT_MS = 25_000;

/** What launching on demand needs. */
export interface LaunchingServiceParts {
  /** Where launched backends are registered. */
  readonly registry: BackendRegistry;
  /** How often a backend may be launched. */
  readonly coordinator: SpawnCoordinator;
  /** Whether a backend that has crashed at its start is started again. */
  readonly crashes: CrashRecovery;
  /** The broker's monotonic clock, in milliseconds. */
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch, which the deadlines of frames are in. */
  readonly unixNowMs: Clock;
  /** Told of each launch. */
  readonly observe: BrokerObserver;
  /** Fires when the broker stops for good. */
  readonly signal: CancelSignal;
  /** Starts a backend and lets it prove itself, or finds one that serves already; ends what does not. */
  launch(request: BackendRequest): Promise<RegisteredBackend>;
}

type Route = HelloRoute<RegisteredBackend>;

/** A launch and those who wait for it. */
interface Flight {
  readonly outcome: Promise<Route>;
  waiters: number;
}

/**
 * Launches backends when they are asked for: one launch of a key at a time, which every Hello for the key waits
 * for, and few of them in a window (protocol 6.7, 6.10).
 */
export class LaunchingService implements BackendSource {
  readonly #parts: LaunchingServiceParts;
  readonly #flights = new Map<string, Flight>();

  /** Makes a service without launches. */
  constructor(parts: LaunchingServiceParts) {
    this.#parts = parts;
  }

  /** Launches the backend, or waits with those who asked for it before. */
  async obtain(request: BackendRequest): Promise<Route> {
    const flight = this.#flights.get(backendKeyText(request.key)) ?? this.#begin(request);
    if ("kind" in flight) return flight;
    if (flight.waiters >= LAUNCH_WAITERS_MAX) return refused(REFUSALS.spawnInProgress);
    flight.waiters++;
    try {
      return await this.#wait(flight, this.#clientWaitMs(request));
    } finally {
      flight.waiters--;
    }
  }

  #begin(request: BackendRequest): Flight | Route {
    if (this.#flights.size >= LAUNCHES_MAX) return refused(REFUSALS.spawnInProgress);
    const text = backendKeyText(request.key);
    const decision = this.#parts.coordinator.tryBegin(text, this.#parts.clock());
    if (decision.kind !== "begun") return notBegun(decision);
    // Not before the next turn: a launch that fails at once must not be off the list before it is on it.
    const outcome = Promise.resolve().then(() => this.#fly(text, request));
    const flight = { outcome, waiters: 0 };
    this.#flights.set(text, flight);
    return flight;
  }

  /** A launch, and another one when the backend has crashed at its start for the first time. */
  async #fly(text: string, request: BackendRequest): Promise<Route> {
    const { crashes, coordinator, clock, signal } = this.#parts;
    try {
      for (;;) {
        const outcome = await this.#launch(text, request);
        if (!("crash" in outcome)) return outcome;
        const decision = crashes.recordCrash(text, clock());
        if (decision.kind === "refuse") return spawnFailed(outcome.crash, BigInt(decision.retryAfterMs));
        const begun = coordinator.tryBegin(text, clock());
        if (begun.kind !== "begun") return notBegun(begun);
        await sleep(decision.afterMs, signal);
      }
    } catch {
      // Only the broker's end cuts a pause short.
      coordinator.finish(text, false);
      return refused(REFUSALS.shuttingDown);
    } finally {
      this.#flights.delete(text);
    }
  }

  /** Registered and given back to the budget in one turn: no Hello can fall in between. Never rejects. */
  async #launch(text: string, request: BackendRequest): Promise<Route | { readonly crash: string }> {
    const { registry, coordinator, crashes, clock, observe } = this.#parts;
    const { service, version } = request.key;
    const startMs = clock();
    const durationUs = () => Math.round((clock() - startMs) * 1000);
    try {
      const backend = await this.#parts.launch(request);
      registry.insert(backend);
      coordinator.finish(text, true);
      crashes.recordSuccess(text);
      const { pid } = backend.identity;
      if (backend.adopted === true) observe({ kind: "backend-adopted", service, version, pid });
      else observe({ kind: "backend-launched", service, version, pid, durationUs: durationUs() });
      return { kind: "backend", backend };
    } catch (error) {
      coordinator.finish(text, false);
      const detail = errorDetail(error);
      observe({ kind: "backend-launch-failed", service, version, detail, durationUs: durationUs() });
      if (error instanceof LaunchError && error.kind === "Exited") return { crash: detail };
      const isElsewhere = error instanceof SpawnLockError && error.kind === "AlreadyLocked";
      return isElsewhere ? refused(REFUSALS.spawnInProgress) : spawnFailed(detail, BACKEND_RETRY_MS);
    }
  }

  #clientWaitMs({ frame }: BackendRequest): number {
    if (frame.deadlineUnixMs === 0n) return LAUNCH_CLIENT_WAIT_MS;
    const remainingMs = Number(frame.deadlineUnixMs) - this.#parts.unixNowMs();
    return Math.min(Math.max(0, remainingMs), SPAWN_WAIT_CEILING_MS);
  }

  #wait(flight: Flight, waitMs: number): Promise<Route> {
    const { signal } = this.#parts;
    return new Promise((resolve) => {
      const finish = (route: Route) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        resolve(route);
      };
      const abort = () => finish(refused(REFUSALS.shuttingDown));
      const timer = setTimeout(() => finish(refused(REFUSALS.spawnInProgress)), waitMs);
      signal.addEventListener("abort", abort, { once: true });
      void flight.outcome.then(finish);
      if (signal.aborted) abort();
    });
  }
}

function notBegun(decision: Exclude<SpawnDecision, { kind: "begun" }>): Route {
  if (decision.kind === "in-flight") return refused(REFUSALS.spawnInProgress);
  const hint = BigInt(decision.retryAfterMs);
  return refused(refusal(ErrorCode.ERROR_RATE_LIMITED, "backend spawn budget exhausted", hint));
}

function spawnFailed(detail: string, retryAfterMs: bigint): Route {
  const reason = `backend spawn failed: ${detail}`;
  return refused(refusal(ErrorCode.ERROR_BACKEND_SPAWN_FAILED, reason, retryAfterMs));
}

function refused(reason: Extract<Route, { kind: "refused" }>["refusal"]): Route {
  return { kind: "refused", refusal: reason };
}
