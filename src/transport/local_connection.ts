import type { LocalStream } from "./local_stream.ts";
import { type WebStreams, webStreams } from "./web_streams.ts";

/**
 * A connection as an application sees it. Use either the web streams or `stream`, not both.
 *
 * Disposing it closes the connection.
 */
export class LocalConnection implements AsyncDisposable {
  /** The connection with reads by pull; cheaper than the web streams. */
  readonly stream: LocalStream;
  #streams: WebStreams | undefined;

  /**
   * Wraps a connection that stands; nothing is read from it yet.
   *
   * @param stream Owned by this connection from now on.
   */
  constructor(stream: LocalStream) {
    this.stream = stream;
  }

  /** What the peer sends. Ends when the peer ends its direction. */
  get readable(): ReadableStream<Uint8Array> {
    return (this.#streams ??= webStreams(this.stream)).readable;
  }

  /** What the peer receives. Closing it ends our direction. */
  get writable(): WritableStream<Uint8Array> {
    return (this.#streams ??= webStreams(this.stream)).writable;
  }

  /** Gives the connection up, both directions. Idempotent. */
  close(): void {
    this.stream.close();
  }

  /** Gives the connection up and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.stream.closed;
  }
}
