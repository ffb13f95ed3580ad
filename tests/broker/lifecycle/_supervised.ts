import { BackendRegistry, type RegisteredBackend } from "../../../src/broker/backend_registry.ts";
import type { BackendRequest } from "../../../src/broker/backend_source.ts";
import type { BrokerEvent } from "../../../src/broker/broker_event.ts";
import { HelloRouter } from "../../../src/broker/hello_router.ts";
import type { HelloRoute } from "../../../src/broker/hello_handler.ts";
import { IdleSupervisor } from "../../../src/broker/lifecycle/idle_supervisor.ts";
import type { OrderOutcome, SendOrder } from "../../../src/broker/lifecycle/order_outcome.ts";
import { CancelSource } from "../../../src/cancel_signal.ts";
import { ServiceDefinitionLoader } from "../../../src/service/service_definition_loader.ts";
import type { BackendOrder } from "../../../src/wire/backend_order.ts";
import { HelloSchema } from "../../../src/wire/gen/broker_v1_envelope_pb.ts";
import { decodeStrict } from "../../../src/wire/strict_decode.ts";
import { makeDefinition, makeDefinitionDir } from "../../service/_definition.ts";
import { FakeTimer } from "../../support/fake_timer.ts";
import { type Deferred, deferred } from "../../support/waiting.ts";
import { backendOf } from "../_backends.ts";
import { helloFrame } from "../_hello.ts";

/** An order on its way; the test says what comes of it. */
export interface PendingOrder {
  readonly backend: RegisteredBackend;
  readonly order: BackendOrder;
  readonly deadlineMs: number;
  readonly outcome: Deferred<OrderOutcome>;
}

/** What an answer to an order says, and that there was one. */
export function answered(accepted: boolean, connectionsOpen = 0, detail = ""): OrderOutcome {
  return { kind: "answered", answer: { accepted, detail, connectionsOpen } };
}

/** A router whose backends are supervised: they start when they are missing, and time is the test's. */
export class Supervised implements AsyncDisposable {
  readonly timer = new FakeTimer();
  readonly abort = new CancelSource();
  readonly events: BrokerEvent[] = [];
  readonly orders: PendingOrder[] = [];
  readonly launches: BackendRequest[] = [];
  readonly dead = new Set<RegisteredBackend>();
  readonly seenToEnd: RegisteredBackend[] = [];
  readonly registry = new BackendRegistry((backend) => !this.dead.has(backend));
  readonly supervisor: IdleSupervisor;
  readonly #router: HelloRouter;
  readonly #dir: AsyncDisposable;

  /** @param makeBackend What is launched for a key. */
  static async open(makeBackend: (request: BackendRequest) => RegisteredBackend): Promise<Supervised> {
    const dir = await makeDefinitionDir(makeDefinition());
    return new Supervised(dir, new ServiceDefinitionLoader(dir.services), makeBackend);
  }

  private constructor(
    dir: AsyncDisposable,
    definitions: ServiceDefinitionLoader,
    makeBackend: (request: BackendRequest) => RegisteredBackend,
  ) {
    this.#dir = dir;
    const observe = (event: BrokerEvent) => void this.events.push(event);
    const { registry } = this;
    const send: SendOrder = (backend, order, { deadlineMs }) => {
      const outcome = deferred<OrderOutcome>();
      this.orders.push({ backend, order, deadlineMs, outcome });
      return outcome.promise;
    };
    const obtain = (request: BackendRequest): Promise<HelloRoute<RegisteredBackend>> => {
      this.launches.push(request);
      const backend = makeBackend(request);
      registry.insert(backend);
      return Promise.resolve({ kind: "backend", backend });
    };
    this.supervisor = new IdleSupervisor({
      source: { obtain },
      registry,
      clock: this.timer.clock,
      startTimer: this.timer.startTimer,
      send,
      seeToEnd: (backend) => {
        this.seenToEnd.push(backend);
        return Promise.resolve();
      },
      observe,
      signal: this.abort,
      idleTimeoutMs: 10_000,
    });
    const routed = (backend: RegisteredBackend) => this.supervisor.routed(backend);
    this.#router = new HelloRouter({ definitions, registry, source: this.supervisor, routed, observe });
  }

  /** Routes a Hello. */
  async hello(wantedVersion = "1.2.3"): Promise<HelloRoute<RegisteredBackend>> {
    const frame = helloFrame({ serviceName: "svc", wantedVersion });
    return await this.#router.route(decodeStrict(HelloSchema, frame.payload), frame);
  }

  /** The same when it is certain to be routed. */
  async backendFor(wantedVersion = "1.2.3"): Promise<RegisteredBackend> {
    const route = await this.hello(wantedVersion);
    if (route.kind === "backend") return route.backend;
    throw new Error(`Refused: ${route.refusal.reason}`);
  }

  /** The kinds of all events so far. */
  get kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }

  /** Gives the last order its outcome, and lets it have its effect. */
  async settle(outcome: OrderOutcome): Promise<void> {
    this.orders.at(-1)!.outcome.resolve(outcome);
    await this.timer.pass(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dir[Symbol.asyncDispose]();
  }
}

/** A new backend for each request, which announces a time or none. */
export function launchedOf(idleTimeoutSecs?: number) {
  let pid = 100;
  return ({ key }: BackendRequest): RegisteredBackend => {
    const backend = backendOf(key);
    const identity = { ...backend.identity, pid: ++pid };
    if (idleTimeoutSecs !== undefined) identity.idleTimeoutSecs = idleTimeoutSecs;
    return { ...backend, identity, process: { pid, startMark: "1" } };
  };
}
