import type { ClientConnectionParts } from "../../src/broker/client_connection.ts";
import { serveClient } from "../../src/broker/client_connection.ts";
import type { RegisteredBackend } from "../../src/broker/backend_registry.ts";
import { HandoffDesk } from "../../src/broker/handoff_desk.ts";
import { HelloHandler, type HelloRoute } from "../../src/broker/hello_handler.ts";
import { HelloRateLimiter } from "../../src/broker/hello_rate_limiter.ts";
import type { HandoffBooks } from "../../src/handoff/ack_wait.ts";
import { HandoffAckRegistry } from "../../src/handoff/ack_registry.ts";
import { CancelSource } from "../../src/cancel_signal.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { CAPABILITY_HANDLE_PASSING } from "../../src/wire/constants.ts";
import { encodeHello } from "../../src/wire/hello.ts";
import { deferred } from "../support/waiting.ts";
import { backendOf } from "./_backends.ts";
import { FakeClient } from "./fake_client.ts";
import { countingTokens } from "./_hello.ts";

const OWN_USER = 1000;
type Route = () => HelloRoute<RegisteredBackend>;

/** A broker whose dials of the backend's handoff endpoint wait for the test. */
export class Negotiation {
  readonly books: HandoffBooks = { tokens: countingTokens(), acks: new HandoffAckRegistry() };
  readonly dialled = deferred<string>();
  readonly dial = deferred<never>();
  readonly backend: RegisteredBackend = backendOf({}, { handoffEndpoint: "/run/ho.sock" });
  nowMs = 0;
  readonly #parts: ClientConnectionParts;

  /**
   * @param route Where Hellos go; to the backend, when it is not said.
   * @param ownUser Whom the broker runs for.
   */
  constructor(route?: Route, ownUser = OWN_USER) {
    const transport = {
      ownUser,
      dialControl: (endpoint: string) => (this.dialled.resolve(endpoint), this.dial.promise),
    } as unknown as Transport;
    const [clock, observe, abort] = [() => this.nowMs, () => {}, new CancelSource()];
    const { books } = this;
    const handoffs = new HandoffDesk({ transport, books, clock, observe, abort });
    this.#parts = {
      transport,
      handoffs,
      clock,
      observe,
      handler: new HelloHandler({
        tokens: books.tokens,
        rate: new HelloRateLimiter(),
        route: route ?? (() => ({ kind: "backend", backend: this.backend })),
        mayHandOver: (backend, early) => handoffs.mayHandOver(backend, early),
      }),
      firstFrameDeadlineMs: 1_000,
      firstFrameBytesMax: 65_536,
      isDraining: () => false,
      answerAdmin: undefined,
      stop: abort,
    };
  }

  /** A client that says Hello, and its exchange, which ends with its handoff. */
  connect(clientCapabilities = CAPABILITY_HANDLE_PASSING): { client: FakeClient; served: Promise<void> } {
    const { service: serviceName, version: wantedVersion } = this.backend.key;
    const bytes = encodeHello({ serviceName, wantedVersion, peerPid: 0, clientCapabilities });
    const client = new FakeClient(bytes, { pid: 77, uid: OWN_USER, gid: 0 });
    return { client, served: this.serve(client) };
  }

  /** Serves a client to the end of the broker's part in it. */
  serve(client: FakeClient): Promise<void> {
    return serveClient(this.#parts, client);
  }
}
