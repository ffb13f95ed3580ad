import { randomBytes } from "node:crypto";
import { CancelSource } from "../cancel_signal.ts";
import { BrokerError } from "../errors.ts";
import { HandoffAckRegistry } from "../handoff/ack_registry.ts";
import { HandoffTokenStore } from "../handoff/token_store.ts";
import { loadTransport } from "../transport/load_transport.ts";
import type { Transport } from "../transport/transport.ts";
import { HELLO_BYTES_MAX } from "../wire/constants.ts";
import type { RegisteredBackend } from "./backend_registry.ts";
import { Broker } from "./broker.ts";
import type { BrokerObserver } from "./broker_event.ts";
import { HandoffDesk } from "./handoff_desk.ts";
import { HelloHandler } from "./hello_handler.ts";
import { HelloRateLimiter } from "./hello_rate_limiter.ts";
import { REFUSALS } from "./refusals.ts";
import { FIRST_FRAME_DEADLINE_MS_DEFAULT } from "./serve_broker_options.ts";

/** What ends a one-connection broker early, and who is told what happens. */
export interface ServeHelloOnceOptions {
  /** Told what happens. */
  readonly observe?: BrokerObserver | undefined;
  /** Stops the broker early. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds the client has for its frame. @default {30000} */
  readonly firstFrameDeadlineMs?: number | undefined;
  /** The kernel's sockets. @default {this host's} */
  readonly transport?: Transport | undefined;
}

/**
 * Serves one connection and stops (protocol 6.1, mode "once"): a Hello from whoever may open the socket is
 * checked as any, and refused because no service is registered; an operator's request is no Hello.
 *
 * @throws {BrokerError} With code "unsupported" without native calls, "endpoint-taken" when somebody serves the
 *   endpoint already, "config" or "os" when it cannot be used.
 */
export async function serveHelloOnce(endpoint: string, options: ServeHelloOnceOptions = {}): Promise<Broker> {
  options.signal?.throwIfAborted();
  const transport = options.transport ?? await loadTransport();
  if (transport.nativeMissing !== undefined) {
    throw new BrokerError("unsupported", `Cannot serve a broker: ${transport.nativeMissing}`);
  }
  const observe = options.observe ?? (() => {});
  const clock = () => performance.now();
  const abort = new CancelSource();
  const tokens = new HandoffTokenStore((length) => randomBytes(length));
  const broker = new Broker({
    endpoint,
    transport,
    observe,
    abort,
    connectionsOpenMax: 1,
    connectionsMax: 1,
    client: {
      clock,
      handler: new HelloHandler<RegisteredBackend>({
        tokens,
        rate: new HelloRateLimiter(),
        route: () => ({ kind: "refused", refusal: REFUSALS.notInTable }),
        mayHandOver: () => false,
      }),
      handoffs: new HandoffDesk({
        transport,
        books: { tokens, acks: new HandoffAckRegistry() },
        clock,
        observe,
        abort,
      }),
      firstFrameDeadlineMs: options.firstFrameDeadlineMs ?? FIRST_FRAME_DEADLINE_MS_DEFAULT,
      firstFrameBytesMax: HELLO_BYTES_MAX,
      answerAdmin: undefined,
      peerPolicy: "allow-any",
    },
  });
  await broker.listen();
  const stop = () => void broker.close();
  options.signal?.addEventListener("abort", stop, { once: true });
  void broker.closed.then(() => options.signal?.removeEventListener("abort", stop));
  if (options.signal?.aborted) stop();
  return broker;
}
