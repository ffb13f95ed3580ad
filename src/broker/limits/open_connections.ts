// This module has no I/O.
import type { IncomingConnection } from "../../transport/transport.ts";

/** The clients that a broker serves now, in the order they came. */
export class OpenConnections {
  /** Ends with the service of the client. */
  readonly #serving = new Map<IncomingConnection, Promise<void>>();
  /** Those that have not sent their first frame yet. */
  readonly #silent = new Set<IncomingConnection>();

  /** How many are served, those being refused included. */
  get size(): number {
    return this.#serving.size;
  }

  /**
   * Serves a client.
   *
   * @param serve Never rejects; to call what it is given when the first frame has come.
   */
  add(incoming: IncomingConnection, serve: (hasSpoken: () => void) => Promise<void>): void {
    this.#silent.add(incoming);
    const serving = serve(() => void this.#silent.delete(incoming)).finally(() => {
      this.#silent.delete(incoming);
      this.#serving.delete(incoming);
    });
    this.#serving.set(incoming, serving);
  }

  /** Waits for whoever has sent a first frame by now. */
  async spokenEnd(): Promise<void> {
    const spoken = [...this.#serving].filter(([incoming]) => !this.#silent.has(incoming));
    await Promise.all(spoken.map(([, serving]) => serving));
  }

  /** Waits for whoever is served now. */
  async allEnd(): Promise<void> {
    await Promise.all(this.#serving.values());
  }

  /** Closes the client that has been silent for longest. @returns Whether there was one. */
  closeOldestSilent(): boolean {
    for (const incoming of this.#silent) {
      this.#silent.delete(incoming);
      incoming.close();
      return true;
    }
    return false;
  }
}
