// This module has no I/O.

/** Something that can be given up when nobody will take it. */
export interface Closable {
  /** Gives it up. Idempotent. */
  close(): void;
}

/** Connections that wait for the application; beyond this it is not keeping up, and new ones are closed. */
export const WAITING_CONNECTIONS_MAX = 1_024;

/** Accepted connections on their way to the application, in order. */
export class ConnectionQueue<T extends Closable> {
  readonly #waiting: T[] = [];
  readonly #takers: ((result: IteratorResult<T, undefined>) => void)[] = [];
  #ended = false;
  /** Connections closed because too many waited. */
  dropped = 0;

  /** Hands a connection over, or closes it when the queue is full or ended. */
  push(connection: T): void {
    if (this.#ended) return connection.close();
    const taker = this.#takers.shift();
    if (taker !== undefined) return taker({ value: connection, done: false });
    if (this.#waiting.length < WAITING_CONNECTIONS_MAX) {
      this.#waiting.push(connection);
      return;
    }
    this.dropped++;
    connection.close();
  }

  /** The next connection, or the end. */
  next(): Promise<IteratorResult<T, undefined>> {
    const connection = this.#waiting.shift();
    if (connection !== undefined) return Promise.resolve({ value: connection, done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Closes what waits and ends every taker's wait. Idempotent. */
  end(): void {
    this.#ended = true;
    for (const connection of this.#waiting.splice(0)) connection.close();
    for (const taker of this.#takers.splice(0)) taker({ value: undefined, done: true });
  }
}
