import type { CancelSignal } from "../cancel_signal.ts";
import process from "node:process";
import { BrokerError } from "../errors.ts";
import { sleep } from "../sleep.ts";
import { withDeadline } from "../transport/deadline.ts";
import type { WaitOptions } from "../transport/wait_options.ts";
import { loadTransport } from "../transport/load_transport.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import type { DrainableStream, Transport } from "../transport/transport.ts";
import { concatBytes } from "../wire/bytes.ts";
import type { Negotiated } from "../wire/gen/broker_v1_envelope_pb.ts";
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
import { type EarlyPlan, mayHaveRun, planEarlyRequest } from "./early_request.ts";
import { awaitHandoffReady, handoffAnnounced, type HandoffFallback } from "./handoff_ready.ts";
import { helloBytes } from "./hello_bytes.ts";
import { HELLO_AGAIN_MS, isBackendGone } from "./hello_again.ts";
import { helloOptions } from "./hello_options.ts";
import { isOurBroker } from "./known_broker.ts";

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
  readonly #early: EarlyPlan | undefined;

  constructor(transport: Transport, options: ConnectBackendRequest, wait: SignalledWait) {
    this.#transport = transport;
    this.#options = options;
    this.#wait = wait;
    this.#observe = options.observe ?? (() => {});
    this.#early = planEarlyRequest(options, transport);
  }

  async connect(): Promise<BackendConnection> {
    const seam = this.#options.testSeams === true ? fakeBackendEndpoint() : undefined;
    if (seam !== undefined) return await this.#connectDirectly(seam);
    if (this.#options.cachedBackendEndpoint !== undefined) {
      const skipped = await this.#skipHello(this.#options.cachedBackendEndpoint);
      if (skipped !== undefined) return skipped;
    }
    for (const pauseMs of HELLO_AGAIN_MS) {
      try {
        return await this.#askBroker();
      } catch (error) {
        if (!isBackendGone(error) || !isOurBroker(this.#options.broker, this.#transport.fileLook)) {
          throw error;
        }
      }
      await sleep(pauseMs, this.#wait.signal);
    }
    return await this.#askBroker();
  }

  async #askBroker(): Promise<BackendConnection> {
    const stream = await this.#dialBroker();
    try {
      const negotiated = await this.#exchangeHello(stream);
      const fallback = this.#isHandoffAnnounced(negotiated)
        ? await this.#adopt(stream, negotiated)
        : undefined;
      if (fallback === "handed-over") {
        if (this.#early === "when-connected") await this.#sendFirst(stream);
        const parts = { stream, endpoint: negotiated.backendPipe, negotiated, handoffFallback: undefined };
        return new BackendConnection({ route: "handle-passed", ...parts });
      }
      if (fallback !== undefined) await this.#requireNotRun(stream, fallback);
      // Gone entirely before the backend is dialled: a late handover finds nobody (model rule 12).
      stream.close();
      return await this.#reconnect(negotiated, fallback?.detail);
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  async #skipHello(endpoint: string): Promise<BackendConnection | undefined> {
    const { selfVersion, version } = this.#options;
    if ((selfVersion ?? version) !== version) return undefined;
    try {
      return await this.#connectDirectly(endpoint);
    } catch {
      // A cached endpoint is a guess; whatever is wrong with it, the broker knows better.
      this.#wait.signal.throwIfAborted();
      return undefined;
    }
  }

  async #connectDirectly(endpoint: string): Promise<BackendConnection> {
    const stream = await this.#dialBackend(endpoint);
    const none = { negotiated: undefined, handoffFallback: undefined };
    return new BackendConnection({ stream, route: "hello-skip", endpoint, ...none });
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
      await stream.write(this.#opening());
      if (this.#isEarly && this.#options.earlyData?.end === true) await stream.closeWrite();
      return await readFrame(stream, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new BrokerClientError("Framing", `Cannot exchange a Hello: ${withoutCode(error)}`, {
        cause: error,
      });
    }
  }

  /** The Hello, and what is to follow it at once: the kernel takes both in one go, or neither. */
  #opening(): Uint8Array {
    const hello = helloBytes(helloOptions(this.#options, process.pid, this.#isEarly));
    return this.#isEarly ? concatBytes(hello, this.#options.earlyData!.bytes) : hello;
  }

  get #isEarly(): boolean {
    return this.#early !== undefined && this.#early !== "when-connected";
  }

  #isHandoffAnnounced(negotiated: Negotiated): boolean {
    return handoffAnnounced(this.#options.adoptHandedOffConnection ?? "auto", negotiated);
  }

  async #adopt(stream: LocalStream, negotiated: Negotiated): Promise<"handed-over" | HandoffFallback> {
    const deadlineMs = this.#options.handoffReadyTimeoutMs ?? DEFAULT_HANDOFF_READY_TIMEOUT_MS;
    const wait = { deadlineMs, signal: this.#wait.signal };
    const fallback = await awaitHandoffReady(stream, negotiated, wait);
    if (fallback === undefined) {
      this.#observe({ kind: "handed-over", connectionId: negotiated.connectionId });
      return "handed-over";
    }
    this.#observe({ kind: "handoff-fallback", detail: fallback.detail });
    return fallback;
  }

  /**
   * Before an early request is sent again: it must not have run, unless it may run twice.
   *
   * @throws {BrokerClientError} When that cannot be told.
   */
  async #requireNotRun(
    stream: LocalStream | DrainableStream,
    { isEnd, detail }: HandoffFallback,
  ): Promise<void> {
    // A ready event that was written is read before the end: without one nothing has run (model rule 13).
    if (isEnd || !("stopReceiving" in stream)) return;
    if (!await mayHaveRun(stream, this.#wait.signal)) return;
    this.#wait.signal.throwIfAborted();
    throw new BrokerClientError(
      "EarlyDataOutcomeUnknown",
      `Cannot tell whether the first request was carried out: ${detail}; ask the backend, or declare it repeatable`,
    );
  }

  /** Writes the first request if it has not reached the backend yet. */
  async #sendFirst(stream: LocalStream): Promise<void> {
    const { earlyData } = this.#options;
    if (earlyData === undefined) return;
    try {
      await stream.write(earlyData.bytes);
      if (earlyData.end === true) await stream.closeWrite();
    } catch (error) {
      this.#wait.signal.throwIfAborted();
      throw new BrokerClientError("BackendConnect", withoutCode(error), { cause: error });
    }
  }

  async #reconnect(negotiated: Negotiated, handoffFallback: string | undefined): Promise<BackendConnection> {
    const endpoint = negotiated.backendPipe;
    if (endpoint === "") {
      throw new BrokerClientError(
        "EmptyBackendPipe",
        "Cannot connect to the backend: the broker named no endpoint",
      );
    }
    const stream = await this.#dialBackend(endpoint);
    return new BackendConnection({
      stream,
      route: "broker-negotiated",
      endpoint,
      negotiated,
      handoffFallback,
    });
  }

  #dialBroker(): Promise<LocalStream> {
    const { broker } = this.#options;
    const isDrainable = this.#early === "behind-hello-drainable";
    return this.#dial("BrokerConnect", "broker", broker, isDrainable ? "connectDrainable" : "connect");
  }

  /** Also sends the first request: on this way nobody has it yet. */
  async #dialBackend(endpoint: string): Promise<LocalStream> {
    const stream = await this.#dial("BackendConnect", "backend", endpoint, "connect");
    try {
      await this.#sendFirst(stream);
      return stream;
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  async #dial(
    kind: "BrokerConnect" | "BackendConnect",
    to: "broker" | "backend",
    endpoint: string,
    how: "connect" | "connectDrainable",
  ): Promise<LocalStream> {
    try {
      const stream = await this.#transport[how](endpoint, this.#wait);
      this.#observe({ kind: "connected", to, endpoint });
      return stream;
    } catch (error) {
      this.#wait.signal.throwIfAborted();
      throw new BrokerClientError(kind, withoutCode(error), { cause: error });
    }
  }
}
