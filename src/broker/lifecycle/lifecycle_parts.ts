import process from "node:process";
import type { CancelSignal } from "../../cancel_signal.ts";
import type { Transport } from "../../transport/transport.ts";
import { startUnrefTimer } from "../../unref_timer.ts";
import type { BackendOrder } from "../../wire/backend_order.ts";
import type { BackendRegistry, RegisteredBackend } from "../backend_registry.ts";
import type { BackendSource } from "../backend_source.ts";
import type { BrokerObserver } from "../broker_event.ts";
import type { Clock } from "../clock.ts";
import { type BroadcastOptions, broadcastOrder, type BroadcastReport } from "./broadcast.ts";
import { IdleSupervisor } from "./idle_supervisor.ts";
import { LifecycleFile } from "./lifecycle_file.ts";
import { LifecycleLog } from "./lifecycle_log.ts";
import type { SendOrder } from "./order_outcome.ts";
import { seeToEnd } from "./see_to_end.ts";
import { orderSender } from "./send_order.ts";

/** What the parts of this room share with the rest of a broker. */
export interface LifecycleShared {
  /** The kernel's sockets. */
  readonly transport: Transport;
  /** The backends. */
  readonly registry: BackendRegistry;
  /** The broker's monotonic clock, in milliseconds. */
  readonly clock: Clock;
  /** Told what happens. */
  readonly observe: BrokerObserver;
  /** Fires when the broker stops for good. */
  readonly signal: CancelSignal;
}

/** Ends idle backends of a broker that can launch them again. */
export function superviseIdle(shared: LifecycleShared, source: BackendSource): IdleSupervisor {
  const { transport, registry, observe, signal } = shared;
  const end = (backend: RegisteredBackend) =>
    seeToEnd({
      isAlive: () => registry.isAlive(backend),
      kill(name) {
        const { service, version } = backend.key;
        const { pid } = backend.process;
        observe({ kind: "backend-signalled", service, version, pid, signal: name });
        process.kill(pid, name);
      },
      startTimer: startUnrefTimer,
      signal,
    });
  return new IdleSupervisor({
    ...shared,
    source,
    startTimer: startUnrefTimer,
    send: orderSender(transport),
    // Whoever cannot be looked at or signalled has ended, or is not ours to end.
    seeToEnd: (backend) => end(backend).catch(() => {}),
  });
}

/** Gives orders to all backends of a broker; those that end on one get no Hello any more. */
export function broadcaster(
  { transport, registry, observe }: Pick<LifecycleShared, "transport" | "registry" | "observe">,
  supervisor: IdleSupervisor | undefined,
): (order: BackendOrder, options?: BroadcastOptions) => Promise<BroadcastReport> {
  const sendOne = orderSender(transport);
  const quiesce: SendOrder = async (backend, order, wait) => {
    const outcome = await sendOne(backend, order, wait);
    if (outcome.kind === "answered" && outcome.answer.accepted) registry.remove(backend);
    return outcome;
  };
  const send: SendOrder = (backend, order, wait) => {
    if (order.kind !== "Quiesce") return sendOne(backend, order, wait);
    if (supervisor === undefined) return quiesce(backend, order, wait);
    return supervisor.holding(backend, () => quiesce(backend, order, wait));
  };
  return async (order, options) => {
    const isAlive = (backend: RegisteredBackend) => registry.isAlive(backend);
    const report = await broadcastOrder({ backends: registry.list(), isAlive, send }, order, options);
    observe({
      kind: "broadcast",
      order: order.kind,
      acks: report.acks.length,
      timeouts: report.timeouts.length,
      failures: report.failures.length,
      skippedDead: report.skippedDead.length,
    });
    return report;
  };
}

/**
 * Notes what becomes of backends.
 *
 * @param path The file; `undefined` keeps the last events in memory only.
 * @param brokerInstance The broker's instance label, once it is known.
 */
export function openLifecycleLog(
  path: string | undefined,
  brokerInstance: () => string,
  observe: BrokerObserver,
): LifecycleLog {
  const file = path === undefined ? undefined : new LifecycleFile(path);
  return new LifecycleLog({
    context: () => ({ unixMs: Date.now(), brokerPid: process.pid, brokerInstance: brokerInstance() }),
    append: file === undefined ? undefined : (line) => file.append(line),
    failed: (detail) => observe({ kind: "lifecycle-log-failed", path: path ?? "", detail }),
  });
}
