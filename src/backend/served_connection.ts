import { LocalConnection } from "../transport/local_connection.ts";
import type { LocalStream } from "../transport/local_stream.ts";

/** How a connection reached this backend. */
export type ConnectionOrigin = "endpoint" | "handoff";

/** A client's connection, ready to be served: its first bytes have arrived. */
export class ServedConnection extends LocalConnection {
  /** "endpoint" when the client dialled this backend, "handoff" when a broker passed its connection. */
  readonly origin: ConnectionOrigin;

  /**
   * Wraps a stream; its first bytes are still unread in it.
   *
   * @param stream Owned by this connection from now on.
   * @param origin How it came.
   */
  constructor(stream: LocalStream, origin: ConnectionOrigin) {
    super(stream);
    this.origin = origin;
  }
}
