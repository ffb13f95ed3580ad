// This module has no I/O.
import type { LocalStream } from "../transport/local_stream.ts";

/** Counts what a backend has to do: connections from being accepted to being gone, and handoffs under way. */
export class OpenConnections {
  readonly #streams = new Set<LocalStream>();
  readonly #changed: (count: number) => void;
  #handoffs = 0;
  #empty: (() => void)[] = [];

  /**
   * Makes a count of nothing.
   *
   * @param changed Told each new count.
   */
  constructor(changed: (count: number) => void) {
    this.#changed = changed;
  }

  /** Connections and handoffs under way; one connection may be left out, such as the one that asks. */
  count(except?: LocalStream): number {
    const own = except !== undefined && this.#streams.has(except) ? 1 : 0;
    return this.#streams.size + this.#handoffs - own;
  }

  /** Counts a connection until it is gone. */
  add(stream: LocalStream): void {
    this.#streams.add(stream);
    this.#tell();
    void stream.closed.then(() => {
      this.#streams.delete(stream);
      this.#tell();
    });
  }

  /** Counts a handoff; the result ends that, once. */
  beginHandoff(): () => void {
    let isOver = false;
    this.#handoffs++;
    this.#tell();
    return () => {
      if (isOver) return;
      isOver = true;
      this.#handoffs--;
      this.#tell();
    };
  }

  /** Settles once nothing is open any more; at once when nothing is. */
  untilEmpty(): Promise<void> {
    if (this.count() === 0) return Promise.resolve();
    return new Promise((resolve) => this.#empty.push(resolve));
  }

  #tell(): void {
    const count = this.count();
    this.#changed(count);
    if (count === 0) { for (const resolve of this.#empty.splice(0)) resolve(); }
  }
}
