import type { HandoffAckRegistry } from "../handoff/ack_registry.ts";
import type { HandoffAckWait, HandoffBooks } from "../handoff/ack_wait.ts";
import type { HandoffToken } from "../handoff/handoff_token.ts";
import {
  executeUnixHandoffWithTransport,
  type ScmRightsResult,
  type UnixHandoffOutcome,
  type UnixHandoffRequest,
} from "../handoff/orchestrate_unix.ts";
import { ScmRightsError } from "../handoff/scm_rights_error.ts";
import { BrokerError } from "../errors.ts";
import { loadTransport } from "../transport/load_transport.ts";
import type { ControlConnection } from "../transport/transport.ts";
import type { Clock } from "./clock.ts";
import { dialFailure } from "./handoff_driver.ts";
import { WireHandoffDelivery } from "./wire_handoff_delivery.ts";

/** What the offer says besides the token, and the clock of the books. */
export interface ExecuteUnixHandoffOptions {
  /** The service the client asked for. */
  readonly serviceName: string;
  /** Ties the offer to its ACK: the connection id of the Hello that led to it. */
  readonly correlationId: bigint;
  /** Milliseconds, of the same clock as the books. @default {performance.now} */
  readonly clock?: Clock | undefined;
}

/**
 * Passes a client's connection to a backend by SCM_RIGHTS, offers it and waits for the ACK, all on one
 * new connection (protocol 7.8). Never rejects; without native calls it falls back as "UnsupportedPlatform".
 *
 * A backend whose process id was registered with the ACK has to be the one that serves the endpoint; any
 * process of the same user, when none was. The client's descriptor stays the caller's to close, and nothing may read from it any more.
 *
 * Requires `--allow-read`, `--allow-write`, `--allow-net` for the endpoint and `--allow-ffi` in Deno.
 *
 * @param books Where the token is pending and its ACK registered.
 * @param request The connection, and the backend's handoff endpoint.
 * @param options The offer.
 * @returns How it ended.
 */
export async function executeUnixHandoff(
  books: HandoffBooks,
  request: UnixHandoffRequest,
  options: ExecuteUnixHandoffOptions,
): Promise<UnixHandoffOutcome> {
  const passing = new Passing(options, books.acks);
  try {
    return await executeUnixHandoffWithTransport(
      books,
      request,
      (attempt) => passing.send(attempt),
      passing,
      passing.clock,
    );
  } finally {
    passing.close();
  }
}

/** The one connection of a handoff. */
class Passing implements HandoffAckWait {
  readonly clock: Clock;
  readonly #options: ExecuteUnixHandoffOptions;
  readonly #acks: HandoffAckRegistry;
  #delivery: WireHandoffDelivery<ControlConnection> | undefined;

  constructor(options: ExecuteUnixHandoffOptions, acks: HandoffAckRegistry) {
    this.clock = options.clock ?? (() => performance.now());
    this.#options = options;
    this.#acks = acks;
  }

  async send({ fd, backendSocket, token }: UnixHandoffRequest): Promise<ScmRightsResult> {
    const reached = await this.#reach(fd, backendSocket, token);
    if (reached instanceof ScmRightsError) return { ok: false, error: reached };
    const { delivery, connection } = reached;
    const sent = delivery.stream.pass(
      connection,
      token.toBytes(),
      (handleValue) => delivery.offerBytes(handleValue, token),
    );
    connection.close();
    if (sent.ok) return sent;
    return { ok: false, error: new ScmRightsError(sent.kind, sent.detail, sent.reachedBackend ? 1 : 0) };
  }

  /** Dials the backend and copies the descriptor; nothing has been sent when either fails. */
  async #reach(fd: number, backendSocket: string, token: HandoffToken) {
    try {
      const transport = await loadTransport();
      const stream = await transport.dialControl(backendSocket, {
        deadlineMs: this.#acks.ackDeadlineMs,
        backendPid: this.#acks.pendingBackend(token)?.backendPid || undefined,
      });
      const delivery = new WireHandoffDelivery({ stream, ...this.#options, clock: this.clock });
      this.#delivery = delivery;
      return { delivery, connection: transport.copyConnection(fd) };
    } catch (error) {
      return this.#reachFailure(error);
    }
  }

  #reachFailure(error: unknown): ScmRightsError {
    if (!BrokerError.is(error)) return dialFailure(error);
    if (error.code === "unsupported") return new ScmRightsError("UnsupportedPlatform", error.message);
    return this.#delivery === undefined
      ? dialFailure(error)
      : new ScmRightsError("SendFailed", error.message);
  }

  awaitBackendAck: HandoffAckWait["awaitBackendAck"] = (token, deadlineMs) => {
    return this.#delivery!.awaitBackendAck(token, deadlineMs);
  };

  close(): void {
    this.#delivery?.stream.close();
  }
}
