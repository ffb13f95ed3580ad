// This module has no I/O.
import type { ClientObserver } from "./client_event.ts";

/** How long a client waits for broker and backend together; the reference's newer default (protocol 13). */
export const CONNECT_DEADLINE_MS_DEFAULT = 30_000;
/** How long a client waits for the handoff-ready relay before it reconnects (protocol 5.2). */
export const DEFAULT_HANDOFF_READY_TIMEOUT_MS = 2_000;

/** A first request that may travel with the Hello. */
export interface EarlyRequest {
  /** Its bytes, all of them; more than 16 KiB wait until the connection stands. */
  bytes: Uint8Array;
  /**
   * Whether it does no harm when it runs twice, or late: it only reads, or names the version that it changes.
   * Otherwise it runs at most once, and where that cannot be told it waits until the connection stands.
   * @default {false}
   */
  repeatable?: boolean | undefined;
  /**
   * Whether it is the only one: our direction ends behind it, on each way, as by `closeWrite()`. A backend that is
   * handed such a connection need not watch for more, which is a good part of its work.
   * @default {false}
   */
  end?: boolean | undefined;
}

/** What to reach, and how: the input of `connectToBackend()`. */
export interface ConnectBackendRequest {
  /** Name of the service: 1 to 64 of `a-z`, `0-9` and `-`. */
  service: string;
  /** The version that is wanted, `MAJOR.MINOR.PATCH` with an optional `-tail`. */
  version: string;
  /** Endpoint of the broker: on Unix the path of its socket. */
  broker: string;
  /** The caller's own version; a cached endpoint is tried only when it equals `version`. @default {version} */
  selfVersion?: string | undefined;
  /** A backend endpoint from an earlier connection, tried before the broker is asked. */
  cachedBackendEndpoint?: string | undefined;
  /**
   * Whether the broker may hand this very connection over to the backend: "auto" waits only when the
   * broker says that it is doing so, `true` whenever it issued a token, `false` never. @default {"auto"}
   */
  adoptHandedOffConnection?: "auto" | boolean | undefined;
  /**
   * The first request, sent as soon as it can be: with the Hello itself when the broker is one of ours. It is
   * written once on the connection that comes out, whatever the route; the caller only reads the answer.
   */
  earlyData?: EarlyRequest | undefined;
  /** Milliseconds to wait for a connection that is being handed over; then the client reconnects. @default {2000} */
  handoffReadyTimeoutMs?: number | undefined;
  /** Milliseconds for everything together. @default {30000} */
  deadlineMs?: number | undefined;
  /** Version of the tool, for people; at most 128 bytes. @default {""} */
  clientVersion?: string | undefined;
  /** Name of the client library, at most 64 bytes. @default {"running-process"} */
  clientLibName?: string | undefined;
  /** Version of the client library, at most 64 bytes. */
  clientLibVersion?: string | undefined;
  /** Seconds between signs of life that the tool intends; 0 leaves it to the broker. @default {0n} */
  clientKeepaliveSecs?: bigint | undefined;
  /** W3C trace context that the broker echoes and passes on. @default {""} */
  traceparent?: string | undefined;
  /** Vendor part of the trace context. @default {""} */
  tracestate?: string | undefined;
  /**
   * For tests only: go to the endpoint in `RUNNING_PROCESS_FAKE_BACKEND` when it is set, without a broker
   * or any check. Nothing reads the variable otherwise. @default {false}
   */
  testSeams?: boolean | undefined;
  /** Told each step. */
  observe?: ClientObserver | undefined;
  /** Ends the attempt early, with its reason. */
  signal?: AbortSignal | undefined;
}
