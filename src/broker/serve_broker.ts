import { randomBytes } from "node:crypto";
import { CancelSource } from "../cancel_signal.ts";
import { BrokerError } from "../errors.ts";
import { HandoffAckRegistry } from "../handoff/ack_registry.ts";
import { HandoffTokenStore } from "../handoff/token_store.ts";
import { ExecutableHasher } from "../host/executable.ts";
import { hostValues } from "../host/host_values.ts";
import { serviceDefinitionDirectory } from "../naming/directories.ts";
import { ServiceDefinitionLoader } from "../service/service_definition_loader.ts";
import { loadTransport } from "../transport/load_transport.ts";
import type { Transport } from "../transport/transport.ts";
import { FRAME_BYTES_MAX } from "../wire/constants.ts";
import { AdminDesk } from "./admin_desk.ts";
import { BackendRegistry } from "./backend_registry.ts";
import { Broker } from "./broker.ts";
import type { BrokerEvent, BrokerObserver } from "./broker_event.ts";
import { BrokerMetrics } from "./broker_metrics.ts";
import { HandoffDesk } from "./handoff_desk.ts";
import { HelloHandler } from "./hello_handler.ts";
import { HelloRateLimiter } from "./hello_rate_limiter.ts";
import { HelloRouter } from "./hello_router.ts";
import { launchMode } from "./launch/launch_mode.ts";
import { registeredMode } from "./registered_mode.ts";
import { isBackendAlive } from "./registered_service.ts";
import {
  CONNECTIONS_OPEN_MAX_DEFAULT,
  FIRST_FRAME_DEADLINE_MS_DEFAULT,
  type ServeBrokerOptions,
} from "./serve_broker_options.ts";

/**
 * Serves a broker in front of one running backend, which may be any process of this user, or one that launches
 * the backends of all services that are defined.
 *
 * Every connection is served on its own: a client that is silent, slow or hostile holds nobody up, and
 * whatever goes wrong with one stays with it. A client that can take it keeps its connection, handed over to
 * the backend; the others are told where to connect (protocol 6, 7).
 *
 * Requires `--allow-read`, `--allow-write`, `--allow-net`, `--allow-env`, `--allow-sys` and `--allow-ffi` in Deno.
 *
 * @param options What is served, where, and within which limits.
 * @returns The broker, listening. Disposing it stops it.
 * @throws {BrokerError} With code "unsupported" without native calls (the message says what to install or
 *   allow), "config" when the endpoint or the service definition cannot be used, "peer-rejected" when the
 *   backend is not what it should be, "os" or "deadline" when it cannot be reached.
 */
export async function serveBroker(options: ServeBrokerOptions): Promise<Broker> {
  options.signal?.throwIfAborted();
  const transport = await loadTransport();
  if (transport.nativeMissing !== undefined) {
    throw new BrokerError("unsupported", `Cannot serve a broker: ${transport.nativeMissing}`);
  }
  const broker = await assemble(transport, options);
  await broker.listen();
  const stop = () => void broker.close().catch(() => {/* told to whoever closes or disposes it */});
  options.signal?.addEventListener("abort", stop, { once: true });
  void broker.closed.then(() => options.signal?.removeEventListener("abort", stop));
  if (options.signal?.aborted) stop();
  return broker;
}

async function assemble(transport: Transport, options: ServeBrokerOptions): Promise<Broker> {
  if ((options.launch === true) === (options.backend !== undefined)) {
    throw new BrokerError("config", "Cannot serve: it takes either a backend or launch, and not both");
  }
  const clock = () => performance.now();
  const startMs = clock();
  const abort = new CancelSource();
  const metrics = new BrokerMetrics();
  const observe = observers(metrics, options.observe);
  const definitions = serviceDefinitionDirectory(hostValues(), options.serviceDefinitionDir);
  const loader = new ServiceDefinitionLoader(definitions.path);
  const registry = new BackendRegistry(isBackendAlive);
  const shared = { transport, hasher: new ExecutableHasher(), registry, clock, observe, signal: abort };
  const mode = options.launch === true
    ? await launchMode(shared)
    : await registeredMode(shared, loader, options.backend!);
  const books = {
    tokens: new HandoffTokenStore((length) => randomBytes(length)),
    acks: new HandoffAckRegistry(),
  };
  const handoffs = new HandoffDesk({ transport, books, clock, observe, abort });
  const router = new HelloRouter({ definitions: loader, registry, source: mode.source, observe });
  const handler = new HelloHandler({
    tokens: books.tokens,
    rate: new HelloRateLimiter(options.helloRate === undefined ? {} : { hellosMax: options.helloRate }),
    route: (hello, frame) => router.route(hello, frame),
    mayHandOver: (backend) => handoffs.mayHandOver(backend),
  });
  const admin = new AdminDesk({
    brokerInstance: mode.label,
    spawnBudgets: mode.spawnBudgets,
    definitions,
    registry,
    clock,
    startMs,
    connectionsOpen: () => broker.counts.connectionsOpen,
    isAcceptingHello: () => broker.isAcceptingHello,
    metrics,
  });
  const broker: Broker = new Broker({
    endpoint: options.endpoint,
    transport,
    observe,
    abort,
    connectionsOpenMax: options.connectionsOpenMax ?? CONNECTIONS_OPEN_MAX_DEFAULT,
    connectionsMax: options.connectionsMax ?? Infinity,
    client: {
      handler,
      handoffs,
      clock,
      firstFrameDeadlineMs: options.firstFrameDeadlineMs ?? FIRST_FRAME_DEADLINE_MS_DEFAULT,
      firstFrameBytesMax: FRAME_BYTES_MAX,
      answerAdmin: (request) => admin.answer(request),
    },
  });
  return broker;
}

function observers(metrics: BrokerMetrics, observe: BrokerObserver | undefined): BrokerObserver {
  return (event: BrokerEvent) => {
    metrics.count(event);
    observe?.(event);
  };
}
