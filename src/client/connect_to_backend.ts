import process from "node:process";
import { BrokerError } from "../errors.ts";
import { type WaitOptions, withDeadline } from "../transport/deadline.ts";
import { loadTransport } from "../transport/load_transport.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import type { Transport } from "../transport/transport.ts";
import type { Negotiated } from "../wire/gen/broker_v1_envelope_pb.ts";
import { encodeHello } from "../wire/hello.ts";
import { decodeHelloReply, refusalText } from "../wire/hello_reply.ts";
import { readFrame } from "../wire/read_frame.ts";
import { BackendSession } from "./backend_session.ts";
import { BrokerClientError } from "./client_error.ts";
import {
  CONNECT_DEADLINE_MS_DEFAULT,
  type ConnectOptions,
  HANDOFF_READY_TIMEOUT_MS_DEFAULT,
} from "./connect_options.ts";
import { requireBrokerEnabled } from "./disable_env.ts";
import { awaitHandoffReady, handoffAnnounced } from "./handoff_ready.ts";
import { helloOptions } from "./hello_options.ts";

/**
 * Connects to the backend of a service: by its cached endpoint, or by asking the broker.
 *
 * The connection to the broker is handed over to the backend when both sides can; otherwise the client
 * reconnects by itself. The route taken is in {@linkcode BackendSession.route} (protocol 5.3).
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
export async function connectToBackend(options: ConnectOptions): Promise<BackendSession> {
  requireBrokerEnabled();
  const transport = await loadTransport();
  const deadlineMs = options.deadlineMs ?? CONNECT_DEADLINE_MS_DEFAULT;
  const act = `reach the backend of "${options.service}"`;
  try {
    return await withDeadline(act, { deadlineMs, signal: options.signal }, (signal) => {
      return connect(transport, options, { deadlineMs, signal });
    });
  } catch (error) {
    if (BrokerError.is(error) && error.code === "deadline" && !(error instanceof BrokerClientError)) {
      throw new BrokerClientError("Deadline", error.message, { cause: error });
    }
    throw error;
  }
}

async function connect(
  transport: Transport,
  options: ConnectOptions,
  wait: WaitOptions,
): Promise<BackendSession> {
  const skipped = await skipHello(transport, options, wait);
  if (skipped !== undefined) return skipped;
  const broker = await dial(transport, "BrokerConnect", options.broker, wait);
  let negotiated: Negotiated;
  try {
    negotiated = await exchangeHello(broker, options, wait);
  } catch (error) {
    broker.close();
    throw error;
  }
  let handoffFallback: string | undefined;
  if (handoffAnnounced(options.adoptHandedOffConnection ?? "auto", negotiated)) {
    const deadlineMs = options.handoffReadyTimeoutMs ?? HANDOFF_READY_TIMEOUT_MS_DEFAULT;
    handoffFallback = await awaitHandoffReady(broker, negotiated, { deadlineMs, signal: wait.signal });
    if (handoffFallback === undefined) {
      const endpoint = negotiated.backendPipe;
      return new BackendSession({
        stream: broker,
        route: "handle-passed",
        endpoint,
        negotiated,
        handoffFallback,
      });
    }
  }
  // Gone entirely before the backend is dialled: a late handover finds nobody (model rule 12).
  broker.close();
  return await reconnect(transport, negotiated, handoffFallback, wait);
}

async function skipHello(
  transport: Transport,
  options: ConnectOptions,
  wait: WaitOptions,
): Promise<BackendSession | undefined> {
  const endpoint = options.cachedEndpoint;
  if (endpoint === undefined || (options.selfVersion ?? options.version) !== options.version) {
    return undefined;
  }
  try {
    const stream = await transport.connect(endpoint, wait);
    return new BackendSession({
      stream,
      route: "hello-skip",
      endpoint,
      negotiated: undefined,
      handoffFallback: undefined,
    });
  } catch {
    // A cached endpoint is a guess; whatever is wrong with it, the broker knows better.
    wait.signal?.throwIfAborted();
    return undefined;
  }
}

async function exchangeHello(
  stream: LocalStream,
  options: ConnectOptions,
  wait: WaitOptions,
): Promise<Negotiated> {
  const body = await framing(async () => {
    await stream.write(encodeHello(helloOptions(options, process.pid)));
    return await readFrame(stream, readOptions(wait));
  }, wait);
  const reply = decodeHelloReply(body);
  switch (reply.kind) {
    case "negotiated":
      return reply.negotiated;
    case "refused": {
      const { code, reason, retryAfterMs } = reply;
      throw new BrokerClientError("Refused", refusalText(reply), { refusal: { code, reason, retryAfterMs } });
    }
    case "failed":
      throw new BrokerClientError(reply.failure, reply.detail);
  }
}

function readOptions({ signal }: WaitOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Failures of the byte stream are of one kind, except the caller's own abort. */
async function framing<T>(act: () => Promise<T>, wait: WaitOptions): Promise<T> {
  try {
    return await act();
  } catch (error) {
    wait.signal?.throwIfAborted();
    throw new BrokerClientError("Framing", `Cannot exchange a Hello: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function reconnect(
  transport: Transport,
  negotiated: Negotiated,
  handoffFallback: string | undefined,
  wait: WaitOptions,
): Promise<BackendSession> {
  const endpoint = negotiated.backendPipe;
  if (endpoint === "") {
    throw new BrokerClientError(
      "EmptyBackendPipe",
      "Cannot connect to the backend: the broker named no endpoint",
    );
  }
  const stream = await dial(transport, "BackendConnect", endpoint, wait);
  return new BackendSession({ stream, route: "broker-negotiated", endpoint, negotiated, handoffFallback });
}

async function dial(
  transport: Transport,
  kind: "BrokerConnect" | "BackendConnect",
  endpoint: string,
  wait: WaitOptions,
): Promise<LocalStream> {
  try {
    return await transport.connect(endpoint, wait);
  } catch (error) {
    wait.signal?.throwIfAborted();
    throw new BrokerClientError(kind, (error as Error).message.replace(/^\[\w+\] /, ""), { cause: error });
  }
}
