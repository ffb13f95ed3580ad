import type { RegisteredBackend } from "../../src/broker/backend_registry.ts";
import type { BrokerEvent } from "../../src/broker/broker_event.ts";
import type { ClientConnectionParts } from "../../src/broker/client_connection.ts";
import { HandoffDesk } from "../../src/broker/handoff_desk.ts";
import { HelloHandler, type HelloRoute } from "../../src/broker/hello_handler.ts";
import { HelloRateLimiter } from "../../src/broker/hello_rate_limiter.ts";
import { CancelSource } from "../../src/cancel_signal.ts";
import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { tokenStore } from "../handoff/_support.ts";
import { registeredBackend } from "./_hello_values.ts";
import { FakeDialer } from "./_fake_handoff.ts";

/** The user whose broker the tests have. */
export const OWN_USER = 1000;

/** What serving clients needs, over backends and dials that are fake, and what was seen of it. */
export interface FakeBroker {
  readonly parts: ClientConnectionParts;
  readonly events: BrokerEvent[];
  readonly time: { nowMs: number };
  readonly stop: CancelSource;
  readonly tokens: ReturnType<typeof tokenStore>;
}

/** A broker's parts; every Hello is routed to the usual backend unless `route` says otherwise. */
export function fakeBroker(
  options: Partial<ClientConnectionParts> & {
    dialer?: FakeDialer;
    route?: () => HelloRoute<RegisteredBackend> | Promise<HelloRoute<RegisteredBackend>>;
  } = {},
): FakeBroker {
  const { dialer = new FakeDialer(), route, ...parts } = options;
  const events: BrokerEvent[] = [];
  const observe = (event: BrokerEvent) => void events.push(event);
  const time = { nowMs: 1_000 };
  const clock = () => time.nowMs;
  const stop = new CancelSource();
  const tokens = tokenStore();
  const transport: Transport = { ...dialer.transport, ownUser: OWN_USER };
  const books = { tokens, acks: new HandoffAckRegistry() };
  const handoffs = new HandoffDesk({ transport, books, clock, observe, abort: stop });
  const handler = new HelloHandler<RegisteredBackend>({
    tokens,
    rate: new HelloRateLimiter(),
    route: route ?? (() => ({ kind: "backend", backend: registeredBackend() })),
    mayHandOver: (backend, early) => handoffs.mayHandOver(backend, early),
  });
  const whole: ClientConnectionParts = {
    transport,
    handler,
    handoffs,
    firstFrameDeadlineMs: 1_000,
    firstFrameBytesMax: 16 * 1024 * 1024,
    clock,
    observe,
    isDraining: () => false,
    answerAdmin: () => Promise.resolve({ exitCode: 0, body: "ok\n" }),
    stop,
    ...parts,
  };
  return { parts: whole, events, time, stop, tokens };
}
