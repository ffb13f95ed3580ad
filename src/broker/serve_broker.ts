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
import { BackendRegistry, type RegisteredBackend } from "./backend_registry.ts";
import { Broker } from "./broker.ts";
import type { BrokerObserver } from "./broker_event.ts";
import { BrokerMetrics } from "./broker_metrics.ts";
import { HandoffDesk } from "./handoff_desk.ts";
import { HelloHandler } from "./hello_handler.ts";
import { HelloRateLimiter } from "./hello_rate_limiter.ts";
import { HelloRouter } from "./hello_router.ts";
import { LAUNCH_LABEL, launchMode } from "./launch/launch_mode.ts";
import { broadcaster, openLifecycleLog, superviseIdle } from "./lifecycle/lifecycle_parts.ts";
import { CONNECTIONS_PER_PROCESS_MAX_DEFAULT } from "./limits/connection_limits.ts";
import { createRandomPool } from "./random_pool.ts";
import { publishMarker } from "./publish_marker.ts";
import { registeredMode } from "./registered_mode.ts";
import { BackendLiveness } from "./backend_liveness.ts";
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
 *   allow), "endpoint-taken" when somebody serves the endpoint already, "config" when it or the service
 *   definition cannot be used, "peer-rejected" when the backend is not what it should be, "os" or "deadline"
 *   when it cannot be reached.
 */
export async function serveBroker(options: ServeBrokerOptions): Promise<Broker> {
  options.signal?.throwIfAborted();
  const transport = await loadTransport();
  if (transport.nativeMissing !== undefined) {
    throw new BrokerError("unsupported", `Cannot serve a broker: ${transport.nativeMissing}`);
  }
  const { broker, superviseAdopted } = await assemble(transport, options);
  await broker.listen();
  superviseAdopted();
  const stop = () => void broker.close().catch(() => {/* told to whoever closes or disposes it */});
  options.signal?.addEventListener("abort", stop, { once: true });
  void broker.closed.then(() => options.signal?.removeEventListener("abort", stop));
  if (options.signal?.aborted) stop();
  return broker;
}

/** A broker, and what it does about the backends it found once it is sure to be the one who serves. */
interface Assembled {
  readonly broker: Broker;
  superviseAdopted(): void;
}

async function assemble(transport: Transport, options: ServeBrokerOptions): Promise<Assembled> {
  if ((options.launch === true) === (options.backend !== undefined)) {
    throw new BrokerError("config", "Cannot serve: it takes either a backend or launch, and not both");
  }
  const clock = () => performance.now();
  const startMs = clock();
  const abort = new CancelSource();
  const metrics = new BrokerMetrics();
  let label = options.launch === true ? LAUNCH_LABEL : "";
  const observe: BrokerObserver = (event) => {
    metrics.count(event);
    lifecycle.take(event);
    options.observe?.(event);
  };
  const lifecycle = openLifecycleLog(options.lifecycleLog, () => label, observe);
  const definitions = serviceDefinitionDirectory(hostValues(), options.serviceDefinitionDir);
  const loader = new ServiceDefinitionLoader(definitions.path, { look: transport.fileLook });
  const liveness = new BackendLiveness(transport);
  abort.addEventListener("abort", () => liveness.close());
  const registry = new BackendRegistry((backend) => liveness.isAlive(backend.process));
  const shared = { transport, hasher: new ExecutableHasher(), registry, clock, observe, signal: abort };
  const mode = options.launch === true
    ? await launchMode(shared, loader, options.endpoint)
    : await registeredMode(shared, loader, options.backend!);
  label = mode.label;
  const supervisor = options.launch === true ? superviseIdle(shared, mode.source) : undefined;
  const routed = (backend: RegisteredBackend) => supervisor?.routed(backend);
  const books = {
    tokens: new HandoffTokenStore(createRandomPool()),
    acks: new HandoffAckRegistry(),
  };
  const handoffs = new HandoffDesk({ transport, books, clock, observe, abort });
  const source = supervisor ?? mode.source;
  const router = new HelloRouter({ definitions: loader, registry, source, routed, observe });
  const handler = new HelloHandler({
    tokens: books.tokens,
    rate: new HelloRateLimiter(options.helloRate === undefined ? {} : { hellosMax: options.helloRate }),
    route: (hello, frame) => router.route(hello, frame),
    mayHandOver: (backend, early) => handoffs.mayHandOver(backend, early),
  });
  const admin = new AdminDesk({
    brokerInstance: mode.label,
    spawnBudgets: mode.spawnBudgets,
    lifecycleEvents: () => lifecycle.recent(),
    definitions,
    registry,
    clock,
    startMs,
    connectionsOpen: () => broker.counts.connectionsOpen,
    isAcceptingHello: () => broker.isAcceptingHello,
    metrics,
    fdUsageRatio: () => broker.fdUsageRatio,
    isFdPressureDemoted: () => broker.isFdPressureDemoted,
    shutDown: (drainDeadlineMs) => void broker.close({ drainDeadlineMs }).catch(() => {/* as above */}),
  });
  const broker: Broker = new Broker({
    endpoint: options.endpoint,
    transport,
    observe,
    abort,
    broadcast: broadcaster(shared, supervisor),
    announce: () => publishMarker(options.endpoint),
    connectionsOpenMax: options.connectionsOpenMax ?? CONNECTIONS_OPEN_MAX_DEFAULT,
    connectionsPerProcessMax: options.connectionsPerProcessMax ?? CONNECTIONS_PER_PROCESS_MAX_DEFAULT,
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
  void broker.closed.then(() => lifecycle.stopped());
  return { broker, superviseAdopted: () => registry.list().forEach(routed) };
}
