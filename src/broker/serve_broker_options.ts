// This module has no I/O.
import type { BrokerObserver } from "./broker_event.ts";

/** Milliseconds a client has for its first frame: the reference's newer deadline (protocol 13). */
export const FIRST_FRAME_DEADLINE_MS_DEFAULT = 30_000;
/** Milliseconds a stopping broker gives to what is under way (protocol 11.2). */
export const DRAIN_DEADLINE_MS_DEFAULT = 10_000;
/** Milliseconds at most that an operator may give it: longer than any handoff or launch lasts. */
export const DRAIN_DEADLINE_MS_MAX = 3_600_000;
/** Connections served at once: each costs two descriptors at most, and 1024 is the usual limit of both. */
export const CONNECTIONS_OPEN_MAX_DEFAULT = 448;

/** The running backend that a broker sends clients to. */
export interface RegisteredBackendOptions {
  /** Name of the service, as its definition is called. */
  service: string;
  /** The version that this backend is; clients that want another one are refused. */
  version: string;
  /** The endpoint that clients dial and that answers identity probes. */
  endpoint: string;
  /** Where client connections are passed to; without it every client reconnects. */
  handoffEndpoint?: string | undefined;
  /** Identity file that the backend wrote; when given, only that very process is accepted (protocol 8.3). */
  identityFile?: string | undefined;
}

/** What a broker serves, where, and within which limits. */
export interface ServeBrokerOptions {
  /** Endpoint to listen on: on Unix the path of a socket in a directory of this user alone. */
  endpoint: string;
  /** The running backend that clients are sent to; either this or `launch`. */
  backend?: RegisteredBackendOptions | undefined;
  /**
   * Starts the backend of a service when a Hello first asks for it, and again when it has ended (protocol
   * 6.10). Whatever the service definitions say may then be started. Backends outlive the broker: they are on
   * record in the folder `{endpoint}.backends`, where the next broker of this endpoint finds them. @default {false}
   */
  launch?: boolean | undefined;
  /** Directory of the service definitions. @default {the platform's, protocol 3.8} */
  serviceDefinitionDir?: string | undefined;
  /** Hellos per second that one process may send, 256 in the protocol; 0 turns the limit off. @default {256} */
  helloRate?: number | undefined;
  /** Milliseconds a client has for its first frame. @default {30000} */
  firstFrameDeadlineMs?: number | undefined;
  /**
   * Connections served at once; beyond it a Hello is refused with "rate limited" (code 4) and a hint to retry,
   * and beyond another 32 a connection is closed unread. @default {448}
   */
  connectionsOpenMax?: number | undefined;
  /** Of them those of one process, so that none takes all; refused likewise. @default {128} */
  connectionsPerProcessMax?: number | undefined;
  /** Stops by itself after so many accepted connections. @default {without limit} */
  connectionsMax?: number | undefined;
  /**
   * File to note launches, losses and ends of backends in, a line of JSON each (protocol 2.5); in a directory of
   * this user alone. Several brokers may share it. Without it the last events are in DUMP only.
   */
  lifecycleLog?: string | undefined;
  /** Told what happens; must not throw. */
  observe?: BrokerObserver | undefined;
  /** Stops the broker, as {@linkcode Broker.close} does. */
  signal?: AbortSignal | undefined;
}
