import type { CancelSignal } from "../cancel_signal.ts";
import process from "node:process";
import { BrokerError } from "../errors.ts";
import { withDeadline } from "../transport/deadline.ts";
import type { WaitOptions } from "../transport/wait_options.ts";
import { loadTransport } from "../transport/load_transport.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import type { Transport } from "../transport/transport.ts";
import type { Negotiated } from "../wire/gen/broker_v1_envelope_pb.ts";
import { encodeHello } from "../wire/hello.ts";
import { decodeHelloReply, refusalText } from "../wire/hello_reply.ts";
import { readFrame } from "../wire/read_frame.ts";
import { BackendConnection } from "./backend_connection.ts";
import { BrokerClientError, withoutCode } from "./client_error.ts";
import type { ClientObserver } from "./client_event.ts";
import {
  CONNECT_DEADLINE_MS_DEFAULT,
  type ConnectBackendRequest,
  DEFAULT_HANDOFF_READY_TIMEOUT_MS,
} from "./connect_backend_request.ts";
import { requireBrokerEnabled } from "./disable_env.ts";
import { fakeBackendEndpoint } from "./fake_backend_env.ts";
import { awaitHandoffReady, handoffAnnounced } from "./handoff_ready.ts";
import { helloOptions } from "./hello_options.ts";

/**
 * Connects to the backend of a service: by its cached endpoint, or by asking the broker.
 *
 * The connection to the broker is handed over to the backend when both sides can; otherwise the client
 * reconnects by itself. The route taken is in {@linkcode BackendConnection.route} (protocol 5.3).
 *
 * Requires `--allow-read`, `--allow-write` and `--allow-net` for the endpoints and
 * `--allow-env=RUNNING_PROCESS_DISABLE` in Deno.
 *
 * @example Usage
 * ```ts
 * import { connectToBackend } from "@running-process/broker";
 *
 * await using session = await connectToBackend({
 *   service: "my-daemon",
 *   version: "1.2.3",
 *   broker: Deno.env.get("MY_BROKER_SOCKET")!,
 * });
 * console.log(session.route);
 * ```
 *
 * @param options What to reach and how long to wait.
 * @returns The connection. Disposing it closes it.
 * @throws {BrokerClientError} Of kind "Refused" when the broker declines, with its refusal; of another
 *   kind when the broker or the backend cannot be reached or breaks the protocol.
 */
export async function connectToBackend(options: ConnectBackendRequest): Promise<BackendConnection> {
  requireBrokerEnabled();
  const transport = await loadTransport();
  const deadlineMs = options.deadlineMs ?? CONNECT_DEADLINE_MS_DEFAULT;
  const act = `reach the backend of "${options.service}"`;
  try {
    return await withDeadline(act, { deadlineMs, signal: options.signal }, (signal) => {
      return new BackendConnector(transport, options, { deadlineMs, signal }).connect();
    });
  } catch (error) {
    if (BrokerError.is(error) && error.code === "deadline" && !(error instanceof BrokerClientError)) {
      throw new BrokerClientError("Deadline", withoutCode(error), { cause: error });
    }
    throw error;
  }
}

type SignalledWait = WaitOptions & { readonly signal: CancelSignal };

/** One attempt to reach a backend (protocol 5.3); every step of it shares one deadline. */
class BackendConnector {
  readonly #transport: Transport;
  readonly #options: ConnectBackendRequest;
  readonly #wait: SignalledWait;
  readonly #observe: ClientObserver;

  constructor(transport: Transport, options: ConnectBackendRequest, wait: SignalledWait) {
    this.#transport = transport;
    this.#options = options;
    this.#wait = wait;
    this.#observe = options.observe ?? (() => {});
  }

  async connect(): Promise<BackendConnection> {
    const seam = this.#options.testSeams === true ? fakeBackendEndpoint() : undefined;
    if (seam !== undefined) return await this.#connectDirectly(seam);
    const skipped = await this.#skipHello();
    if (skipped !== undefined) return skipped;
    const stream = await this.#dial("BrokerConnect", "broker", this.#options.broker);
    try {
      const negotiated = await this.#exchangeHello(stream);
      const fallback = await this.#adopt(stream, negotiated);
      if (fallback === "handed-over") {
        const endpoint = negotiated.backendPipe;
        return new BackendConnection({
          stream,
          route: "handle-passed",
          endpoint,
          negotiated,
          handoffFallback: undefined,
        });
      }
      // Gone entirely before the backend is dialled: a late handover finds nobody (model rule 12).
      stream.close();
      return await this.#reconnect(negotiated, fallback?.detail);
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  async #skipHello(): Promise<BackendConnection | undefined> {
    const { cachedBackendEndpoint: endpoint, selfVersion, version } = this.#options;
    if (endpoint === undefined || (selfVersion ?? version) !== version) return undefined;
    try {
      return await this.#connectDirectly(endpoint);
    } catch {
      // A cached endpoint is a guess; whatever is wrong with it, the broker knows better.
      this.#wait.signal.throwIfAborted();
      return undefined;
    }
  }

  async #connectDirectly(endpoint: string): Promise<BackendConnection> {
    const stream = await this.#dial("BackendConnect", "backend", endpoint);
    const parts = { negotiated: undefined, handoffFallback: undefined };
    return new BackendConnection({ stream, route: "hello-skip", endpoint, ...parts });
  }

  async #exchangeHello(stream: LocalStream): Promise<Negotiated> {
    const reply = decodeHelloReply(await this.#sendHello(stream));
    switch (reply.kind) {
      case "negotiated":
        this.#observe({
          kind: "negotiated",
          connectionId: reply.negotiated.connectionId,
          backendEndpoint: reply.negotiated.backendPipe,
          handoffAnnounced: this.#isHandoffAnnounced(reply.negotiated),
        });
        return reply.negotiated;
      case "refused": {
        const { code, reason, retryAfterMs } = reply;
        throw new BrokerClientError("Refused", refusalText(reply), {
          refusal: { code, reason, retryAfterMs },
        });
      }
      case "failed":
        throw new BrokerClientError(reply.failure, reply.detail);
    }
  }

  /** @returns The body of the frame that answers. */
  async #sendHello(stream: LocalStream): Promise<Uint8Array> {
    const { signal } = this.#wait;
    try {
      this.#observe({ kind: "hello-sent" });
      await stream.write(encodeHello(helloOptions(this.#options, process.pid)));
      return await readFrame(stream, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new BrokerClientError("Framing", `Cannot exchange a Hello: ${withoutCode(error)}`, {
        cause: error,
      });
    }
  }

  #isHandoffAnnounced(negotiated: Negotiated): boolean {
    return handoffAnnounced(this.#options.adoptHandedOffConnection ?? "auto", negotiated);
  }

  /** @returns "handed-over", or why not; `undefined` when that was not to be expected. */
  async #adopt(
    stream: LocalStream,
    negotiated: Negotiated,
  ): Promise<"handed-over" | { detail: string } | undefined> {
    if (!this.#isHandoffAnnounced(negotiated)) return undefined;
    const deadlineMs = this.#options.handoffReadyTimeoutMs ?? DEFAULT_HANDOFF_READY_TIMEOUT_MS;
    const detail = await awaitHandoffReady(stream, negotiated, { deadlineMs, signal: this.#wait.signal });
    if (detail === undefined) {
      this.#observe({ kind: "handed-over", connectionId: negotiated.connectionId });
      return "handed-over";
    }
    this.#observe({ kind: "handoff-fallback", detail });
    return { detail };
  }

  async #reconnect(negotiated: Negotiated, handoffFallback: string | undefined): Promise<BackendConnection> {
    const endpoint = negotiated.backendPipe;
    if (endpoint === "") {
      throw new BrokerClientError(
        "EmptyBackendPipe",
        "Cannot connect to the backend: the broker named no endpoint",
      );
    }
    const stream = await this.#dial("BackendConnect", "backend", endpoint);
    return new BackendConnection({
      stream,
      route: "broker-negotiated",
      endpoint,
      negotiated,
      handoffFallback,
    });
  }

  async #dial(
    kind: "BrokerConnect" | "BackendConnect",
    to: "broker" | "backend",
    endpoint: string,
  ): Promise<LocalStream> {
    try {
      const stream = await this.#transport.connect(endpoint, this.#wait);
      this.#observe({ kind: "connected", to, endpoint });
      return stream;
    } catch (error) {
      this.#wait.signal.throwIfAborted();
      throw new BrokerClientError(kind, withoutCode(error), { cause: error });
    }
  }
}
