import type { CancelSignal } from "../../cancel_signal.ts";
import { ErrorCode } from "../../wire/gen/broker_v1_envelope_pb.ts";
import type { BackendRequest, BackendSource } from "../backend_source.ts";
import { backendKeyText, type BackendRegistry, type RegisteredBackend } from "../backend_registry.ts";
import type { BrokerObserver } from "../broker_event.ts";
import type { Clock } from "../clock.ts";
import { errorDetail } from "../error_detail.ts";
import type { HelloRoute } from "../hello_handler.ts";
import { BACKEND_RETRY_MS, refusal, REFUSALS } from "../refusals.ts";
import type { SpawnCoordinator } from "./spawn_coordinator.ts";
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
  /** The broker's monotonic clock, in milliseconds. */
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch, which the deadlines of frames are in. */
  readonly unixNowMs: Clock;
  /** Told of each launch. */
  readonly observe: BrokerObserver;
  /** Fires when the broker stops for good. */
  readonly signal: CancelSignal;
  /** Starts a backend and lets it prove itself; ends what does not. */
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
    switch (decision.kind) {
      case "in-flight":
        return refused(REFUSALS.spawnInProgress);
      case "exhausted": {
        const hint = BigInt(decision.retryAfterMs);
        return refused(refusal(ErrorCode.ERROR_RATE_LIMITED, "backend spawn budget exhausted", hint));
      }
      case "begun": {
        // Not before the next turn: a launch that fails at once must not be off the list before it is on it.
        const outcome = Promise.resolve().then(() => this.#launch(text, request));
        const flight = { outcome, waiters: 0 };
        this.#flights.set(text, flight);
        return flight;
      }
    }
  }

  /** Registered, given back to the budget and off the list in one turn: no Hello can fall in between. */
  async #launch(text: string, request: BackendRequest): Promise<Route> {
    const { registry, coordinator, clock, observe } = this.#parts;
    const { service, version } = request.key;
    const startMs = clock();
    const durationUs = () => Math.round((clock() - startMs) * 1000);
    try {
      const backend = await this.#parts.launch(request);
      registry.insert(backend);
      coordinator.finish(text, true);
      const { pid } = backend.identity;
      observe({ kind: "backend-launched", service, version, pid, durationUs: durationUs() });
      return { kind: "backend", backend };
    } catch (error) {
      coordinator.finish(text, false);
      const detail = errorDetail(error);
      observe({ kind: "backend-launch-failed", service, version, detail, durationUs: durationUs() });
      const reason = `backend spawn failed: ${detail}`;
      return refused(refusal(ErrorCode.ERROR_BACKEND_SPAWN_FAILED, reason, BACKEND_RETRY_MS));
    } finally {
      this.#flights.delete(text);
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

function refused(reason: Extract<Route, { kind: "refused" }>["refusal"]): Route {
  return { kind: "refused", refusal: reason };
}
