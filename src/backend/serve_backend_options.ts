// This module has no I/O.
import type { BackendObserver } from "./backend_event.ts";

/**
 * What a backend serves, and where.
 *
 * A backend that a broker launches leaves the endpoints out, and may leave out what it is: it was told in its
 * environment. Whoever gives service, version and endpoint is not told anything.
 */
export interface ServeBackendOptions {
  /** Name of the service: 1 to 64 of `a-z`, `0-9` and `-`. @default {as launched} */
  service?: string | undefined;
  /** Version of the service that this process is. @default {as launched} */
  version?: string | undefined;
  /** Where clients connect and brokers ask who we are: on Unix the path of a socket. @default {as launched} */
  endpoint?: string | undefined;
  /** Where brokers pass connections to; without it none are taken. @default {as launched} */
  handoffEndpoint?: string | undefined;
  /** Broker instance that this backend belongs to (protocol 3.7). @default {as launched, else `private:${service}`} */
  namespace?: string | undefined;
  /** File to announce this process in, for brokers that are told to expect it (protocol 8.3). */
  identityFile?: string | undefined;
  /**
   * Seconds without a client after which a broker that launched this process lets it end; announced to brokers.
   * When the broker is gone, a launched backend ends by itself after twice that. @default {as launched}
   */
  idleTimeoutSecs?: number | undefined;
  /**
   * Closes what this process has open below a directory, because a broker's operator wants to move or remove it.
   * The broker waits 5 s. Without it such orders are declined.
   */
  onReleaseHandles?: ((pathPrefix: string) => void | Promise<void>) | undefined;
  /** Told what happens; must not throw. */
  observe?: BackendObserver | undefined;
}
