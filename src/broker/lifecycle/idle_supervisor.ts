// This module has no I/O.
import type { CancelSignal } from "../../cancel_signal.ts";
import type { StartTimer } from "../../timer.ts";
import type { BackendRequest, BackendSource } from "../backend_source.ts";
import { backendKeyText, type BackendRegistry, type RegisteredBackend } from "../backend_registry.ts";
import type { BrokerObserver } from "../broker_event.ts";
import type { Clock } from "../clock.ts";
import type { HelloRoute } from "../hello_handler.ts";
import { IdleCoordinator, type IdleDue } from "./idle_coordinator.ts";
import { ORDER_DEADLINE_MS_DEFAULT, type OrderOutcome, type SendOrder } from "./order_outcome.ts";

/** What supervising needs. */
export interface IdleSupervisorParts {
  /** Where backends come from that are not registered, or not any more. */
  readonly source: BackendSource;
  /** The backends to supervise. */
  readonly registry: BackendRegistry;
  /** The broker's monotonic clock, in milliseconds. */
  readonly clock: Clock;
  /** Wakes the supervisor up. */
  readonly startTimer: StartTimer;
  /** Asks a backend to end. */
  readonly send: SendOrder;
  /** Sees to the end of a process that has no clients and has agreed to end. Never rejects. */
  readonly seeToEnd: (backend: RegisteredBackend) => Promise<void>;
  /** Told which backends were ended, and once of each that goes on. */
  readonly observe: BrokerObserver;
  /** Fires when the broker stops: backends live on, the next broker finds them. */
  readonly signal: CancelSignal;
  /** For backends that announce no time of their own. @default {30000} */
  readonly idleTimeoutMs?: number;
}

/**
 * Ends backends that nobody asks for any more (protocol 6.14).
 *
 * An idle backend is asked whether it has connections. Without any it stops accepting and ends; otherwise, and
 * when it does not know the question, it goes on. Hellos that come in between wait for its answer, so that no
 * client is sent to a backend that ends.
 */
export class IdleSupervisor implements BackendSource {
  readonly #parts: IdleSupervisorParts;
  readonly #idle: IdleCoordinator<RegisteredBackend>;
  readonly #asking = new Map<string, Promise<void>>();
  /** Backends that were told of as going on, and of them those that know no orders. */
  readonly #kept = new WeakSet<RegisteredBackend>();
  readonly #unable = new WeakSet<RegisteredBackend>();
  #timer: { readonly dueMs: number; cancel(): void } | undefined;

  /** Makes a supervisor that knows no backend; what is registered already is told with `routed`. */
  constructor(parts: IdleSupervisorParts) {
    this.#parts = parts;
    this.#idle = new IdleCoordinator(parts.idleTimeoutMs);
    parts.signal.addEventListener("abort", () => this.#timer?.cancel(), { once: true });
  }

  /** Notes that a Hello was routed to a backend. */
  routed(backend: RegisteredBackend): void {
    if (this.#unable.has(backend)) return;
    const ownMs = announcedTimeoutMs(backend);
    const nowMs = this.#parts.clock();
    this.#idle.markActivity(backend, nowMs, ownMs);
    // The timer stands most often; when it is early, it finds nothing due and is set anew.
    const dueMs = nowMs + (ownMs ?? this.#idle.idleTimeoutMs);
    if (this.#timer === undefined || dueMs < this.#timer.dueMs) this.#setTimer();
  }

  /** Waits until it is known whether the backend ends, then takes it or gets another one. Never rejects. */
  async obtain(request: BackendRequest): Promise<HelloRoute<RegisteredBackend>> {
    const { registry, source } = this.#parts;
    const text = backendKeyText(request.key);
    if (this.#asking.has(text)) {
      for (let asking = this.#asking.get(text); asking !== undefined; asking = this.#asking.get(text)) {
        await asking;
      }
      const { backend } = registry.find(request.key);
      if (backend !== undefined) {
        this.routed(backend);
        return { kind: "backend", backend };
      }
    }
    const route = await source.obtain(request);
    if (route.kind === "backend") this.routed(route.backend);
    return route;
  }

  /**
   * Keeps Hellos from a backend while something is done that may end it; they wait. One act at a time: a second
   * one waits, too.
   */
  async holding<T>(backend: RegisteredBackend, act: () => Promise<T>): Promise<T> {
    const text = backendKeyText(backend.key);
    const acting = this.#actAfter(this.#asking.get(text), backend, act);
    const asking = acting.then(() => {}, () => {/* told to who acts */});
    this.#asking.set(text, asking);
    try {
      return await acting;
    } finally {
      if (this.#asking.get(text) === asking) this.#asking.delete(text);
    }
  }

  /** Without another act before it the backend is held in this very turn: no Hello can fall in between. */
  async #actAfter<T>(
    other: Promise<void> | undefined,
    backend: RegisteredBackend,
    act: () => Promise<T>,
  ): Promise<T> {
    const { registry } = this.#parts;
    if (other !== undefined) await other;
    registry.hold(backend);
    try {
      return await act();
    } finally {
      registry.release(backend);
    }
  }

  #setTimer(): void {
    const { clock, startTimer, signal } = this.#parts;
    this.#timer?.cancel();
    this.#timer = undefined;
    const dueMs = this.#idle.nextDueMs;
    if (dueMs === undefined || signal.aborted) return;
    const cancel = startTimer(Math.max(1, Math.ceil(dueMs - clock())), () => {
      this.#timer = undefined;
      this.#collect();
      this.#setTimer();
    });
    this.#timer = { dueMs, cancel };
  }

  #collect(): void {
    for (const due of this.#idle.collectDue(this.#parts.clock())) void this.#ask(due);
  }

  async #ask(due: IdleDue<RegisteredBackend>): Promise<void> {
    // It rejects only when the broker stops, and with it the question.
    await this.holding(due.key, () => this.#decide(due)).catch(() => {});
    this.#setTimer();
  }

  async #decide({ key: backend, idleForMs }: IdleDue<RegisteredBackend>): Promise<void> {
    const { send, signal, registry, observe, seeToEnd } = this.#parts;
    if (!registry.has(backend)) return void this.#idle.remove(backend);
    // Another act at it was waited for, and somebody has asked for it since.
    if (this.#idle.stateOf(backend) !== "Draining") return;
    const order = { kind: "Quiesce", reason: "IdleTimeout", onlyIfIdle: true } as const;
    const outcome = await send(backend, order, { deadlineMs: ORDER_DEADLINE_MS_DEFAULT, signal });
    if (outcome.kind !== "answered" || !outcome.answer.accepted) return this.#keep(backend, outcome);
    const { service, version } = backend.key;
    const { pid } = backend.identity;
    registry.remove(backend);
    observe({ kind: "backend-idle-ended", service, version, pid, idleMs: Math.round(idleForMs) });
    // Whoever was let in at the last moment is served to the end, however long that takes.
    if (outcome.answer.connectionsOpen > 0) return void this.#idle.remove(backend);
    this.#idle.markQuiesced(backend);
    void seeToEnd(backend).then(() => this.#idle.remove(backend));
  }

  #keep(backend: RegisteredBackend, outcome: OrderOutcome): void {
    const { registry, clock, observe } = this.#parts;
    const { service, version } = backend.key;
    const { pid } = backend.identity;
    if (!registry.isAlive(backend) || outcome.kind === "unreachable") {
      // It has ended, or does not listen any more: no client may be sent there.
      this.#idle.remove(backend);
      registry.remove(backend);
      return observe({ kind: "backend-lost", service, version, pid });
    }
    if (outcome.kind === "not-understood") {
      this.#unable.add(backend);
      this.#idle.remove(backend);
    } else this.#idle.markActivity(backend, clock(), announcedTimeoutMs(backend));
    if (this.#kept.has(backend)) return;
    this.#kept.add(backend);
    observe({ kind: "backend-kept", service, version, pid, detail: keptDetail(outcome) });
  }
}

/** A backend of ours announces what its definition or its author says. */
function announcedTimeoutMs({ identity: { idleTimeoutSecs } }: RegisteredBackend): number | undefined {
  return idleTimeoutSecs === undefined ? undefined : idleTimeoutSecs * 1000;
}

function keptDetail(outcome: OrderOutcome): string {
  switch (outcome.kind) {
    case "answered": {
      const { connectionsOpen, detail } = outcome.answer;
      return connectionsOpen === 0 ? detail : `connections open: ${connectionsOpen}`;
    }
    case "timeout":
      return "it did not answer in time";
    case "not-understood":
      return `it knows no orders: ${outcome.detail}`;
    case "unreachable":
    case "failed":
      return outcome.detail;
  }
}
