import { BrokerError } from "../errors.ts";
import { withDeadline } from "../transport/deadline.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import { encodeFramed } from "../wire/framing.ts";
import { type Frame, FrameKind, FrameSchema } from "../wire/gen/broker_v1_envelope_pb.ts";
import { requestFrame, withRequestId } from "../wire/frames.ts";
import { readFrame } from "../wire/read_frame.ts";
import { decodeStrict } from "../wire/strict_decode.ts";
import { CONNECT_DEADLINE_MS_DEFAULT } from "./connect_backend_request.ts";
import { connectLocalSocket } from "./connect_local_socket.ts";
import { FrameClientError } from "./frame_client_error.ts";

/** How long one request may take. */
export interface FrameRequestOptions {
  /** Milliseconds until the request is given up. @default {30000} */
  deadlineMs?: number;
  /** Ends the request early, with its reason. */
  signal?: AbortSignal;
}

/** The largest request id; the one after it is 1, because 0 is nobody's. */
const REQUEST_ID_MAX = 2n ** 64n - 1n;

/**
 * Sends payload frames to a backend and matches the answers, one request at a time (protocol 5.6).
 *
 * A request that was given up leaves an answer under way, so the client is of no use after it: every later
 * request fails, and disposing it closes the connection.
 *
 * @example Usage
 * ```ts
 * import { connectToBackend, FrameClient } from "@running-process/broker";
 *
 * const session = await connectToBackend({
 *   service: "my-daemon",
 *   version: "1.2.3",
 *   broker: Deno.env.get("MY_BROKER_SOCKET")!,
 * });
 * using client = new FrameClient(session.stream);
 * ```
 */
export class FrameClient implements Disposable {
  readonly #stream: LocalStream;
  #requestId: bigint;
  #isBusy = false;
  #isPoisoned = false;

  /**
   * Speaks over a connection that stands; {@linkcode FrameClient.connect} dials one.
   *
   * @param stream The connection, owned by this client from now on.
   * @param nextRequestId The first request's id. @default {1n}
   */
  constructor(stream: LocalStream, nextRequestId = 1n) {
    this.#stream = stream;
    this.#requestId = nextRequestId;
  }

  /**
   * Connects to a backend's endpoint, without a broker.
   *
   * @param endpoint On Unix the path of a socket.
   * @param options How long to wait.
   * @throws {FrameClientError} Of kind "Connect".
   */
  static async connect(endpoint: string, options: FrameRequestOptions = {}): Promise<FrameClient> {
    try {
      return new FrameClient(await connectLocalSocket(endpoint, options));
    } catch (error) {
      options.signal?.throwIfAborted();
      throw new FrameClientError("Connect", `Cannot connect to "${endpoint}"`, { cause: error });
    }
  }

  /**
   * Sends one request and waits for its answer.
   *
   * @param payloadProtocol What the payload is.
   * @param payload The payload.
   * @param options How long to wait.
   * @returns The answering frame; its version and encoding are the application's to judge.
   * @throws {FrameClientError} Of kind "Framing", "Decode", "RequestIdMismatch", "PayloadProtocolMismatch",
   *   "NotAResponse", "TimedOut", "Busy" or "Poisoned".
   */
  async request(
    payloadProtocol: number,
    payload: Uint8Array,
    options: FrameRequestOptions = {},
  ): Promise<Frame> {
    if (this.#isPoisoned) {
      throw new FrameClientError("Poisoned", "An earlier request of this client was given up");
    }
    if (this.#isBusy) throw new FrameClientError("Busy", "Another request of this client is under way");
    this.#isBusy = true;
    this.#isPoisoned = true;
    try {
      const frame = await this.#exchange(
        withRequestId(requestFrame(payloadProtocol, payload), this.#nextId()),
        options,
      );
      this.#isPoisoned = false;
      return frame;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Gives the connection back; this client is of no use any more. */
  release(): LocalStream {
    this.#isPoisoned = true;
    return this.#stream;
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#isPoisoned = true;
    this.#stream.close();
  }

  #nextId(): bigint {
    const id = this.#requestId;
    this.#requestId = id === REQUEST_ID_MAX ? 1n : id + 1n;
    return id;
  }

  async #exchange(request: Frame, options: FrameRequestOptions): Promise<Frame> {
    const wait = { deadlineMs: options.deadlineMs ?? CONNECT_DEADLINE_MS_DEFAULT, signal: options.signal };
    const body = await this.#roundTrip(request, wait);
    let answer: Frame;
    try {
      answer = decodeStrict(FrameSchema, body);
    } catch (error) {
      throw new FrameClientError("Decode", (error as Error).message, { cause: error });
    }
    const problem = mismatch(request, answer);
    if (problem !== undefined) throw problem;
    return answer;
  }

  async #roundTrip(
    request: Frame,
    wait: { deadlineMs: number; signal: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    try {
      return await withDeadline(`hear the answer to request ${request.requestId}`, wait, async (signal) => {
        await this.#stream.write(encodeFramed(request));
        return await readFrame(this.#stream, { signal });
      });
    } catch (error) {
      wait.signal?.throwIfAborted();
      const isLate = BrokerError.is(error) && error.code === "deadline";
      throw new FrameClientError(isLate ? "TimedOut" : "Framing", (error as Error).message, { cause: error });
    }
  }
}

/** The first thing that is wrong with an answer, in the reference's order. */
function mismatch(request: Frame, answer: Frame): FrameClientError | undefined {
  if (answer.requestId !== request.requestId) {
    return new FrameClientError(
      "RequestIdMismatch",
      `Expected request_id ${request.requestId}, got ${answer.requestId}`,
    );
  }
  if (answer.payloadProtocol !== request.payloadProtocol) {
    const text = `Expected payload_protocol ${request.payloadProtocol}, got ${answer.payloadProtocol}`;
    return new FrameClientError("PayloadProtocolMismatch", text);
  }
  if (answer.kind !== FrameKind.RESPONSE) {
    return new FrameClientError("NotAResponse", `Expected kind RESPONSE (1), got ${answer.kind}`);
  }
  return undefined;
}
