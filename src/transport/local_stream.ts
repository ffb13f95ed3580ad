// This module has no I/O.
import type { ByteSource } from "../wire/read_frame.ts";

/** Who is at the other end of a local connection, as the kernel reports it. */
export interface PeerCredentials {
  /** Process id; 0 when the kernel does not say (another pid namespace, macOS). */
  readonly pid: number;
  /** Effective user id at the time of connecting. */
  readonly uid: number;
  /** Effective group id at the time of connecting. */
  readonly gid: number;
}

/**
 * An ordered byte stream to another process of this machine, owned by whoever holds it.
 *
 * Reading is by pull, one read at a time; `unread` puts bytes back in front.
 */
export interface LocalStream extends ByteSource {
  /**
   * Resolves once the kernel has taken all bytes; the buffer may then be reused.
   *
   * @throws {BrokerError} With code "closed" when the peer is gone, "os" for other failures.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends our direction; reading goes on. */
  closeWrite(): Promise<void>;
  /** Gives the connection up, both directions, without waiting. Idempotent. */
  close(): void;
  /** Settles when the connection is gone, never rejects. */
  readonly closed: Promise<void>;
}

/** A listener that owns a published endpoint name. */
export interface LocalListener extends AsyncDisposable {
  /** The endpoint listened on: on Unix the public path of the socket. */
  readonly endpoint: string;
  /**
   * Removes the endpoint name if it is still ours, accepts whoever connected before that, and stops. Idempotent.
   */
  close(): Promise<void>;
}

/** A listener that can be looked after where the runtime does not do it. */
export interface PublishedListener extends LocalListener {
  /** Whether a connection waits to be accepted; false where that cannot be told. */
  hasWaiting(): boolean;
  /** Goes on accepting where the runtime has given that up; else it does nothing. Never rejects. */
  acceptAgain(): Promise<void>;
}
