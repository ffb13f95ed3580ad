import { LocalConnection } from "../transport/local_connection.ts";
import type { LocalStream } from "../transport/local_stream.ts";
import type { Negotiated } from "../wire/gen/broker_v1_envelope_pb.ts";

/** Which way a connection took to its backend (protocol 5.3). */
export type BackendConnectionRoute = "handle-passed" | "broker-negotiated" | "hello-skip";

/** What a connection attempt came to. */
export interface BackendConnectionParts {
  /** The connection itself. */
  readonly stream: LocalStream;
  /** Which way it took. */
  readonly route: BackendConnectionRoute;
  /** The backend's own endpoint; empty when it has none. */
  readonly endpoint: string;
  /** The broker's answer; `undefined` when no broker was asked. */
  readonly negotiated: Negotiated | undefined;
  /** Why a handover that was announced did not happen; `undefined` when none was, or it did. */
  readonly handoffFallback: string | undefined;
}

/** A connection to a backend, and how it came about. */
export class BackendConnection extends LocalConnection {
  /** Which way the connection took. */
  readonly route: BackendConnectionRoute;
  /** The backend's own endpoint: worth caching for the next connection. Empty when it has none. */
  readonly endpoint: string;
  /** The broker's answer; `undefined` when no broker was asked. */
  readonly negotiated: Negotiated | undefined;
  /** Why a handover that was announced did not happen; `undefined` when none was, or it did. */
  readonly handoffFallback: string | undefined;

  /**
   * Wraps a connection that stands; `connectToBackend` makes them.
   *
   * @param parts The connection, owned by this session from now on, and how it came about.
   */
  constructor(parts: BackendConnectionParts) {
    super(parts.stream);
    this.route = parts.route;
    this.endpoint = parts.endpoint;
    this.negotiated = parts.negotiated;
    this.handoffFallback = parts.handoffFallback;
  }

  /** The one-time token that the broker issued, whatever route was taken; `undefined` when it issued none. */
  get handoffToken(): Uint8Array | undefined {
    const token = this.negotiated?.handlePassedToken;
    return token === undefined || token.length === 0 ? undefined : token.slice();
  }
}
