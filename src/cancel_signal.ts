// This module has no I/O.

/**
 * The part of an `AbortSignal` that waits inside this package look at.
 *
 * Every handoff waits a few times. A platform's own signal is held by weak references and goes only with a
 * full garbage collection, so the waits inside use a lighter one.
 */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: () => void, options?: { once: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** A {@linkcode CancelSignal} that whoever made it can fire. */
export class CancelSource implements CancelSignal {
  readonly #listeners = new Set<() => void>();
  #fired: { readonly reason: unknown } | undefined;

  get aborted(): boolean {
    return this.#fired !== undefined;
  }

  get reason(): unknown {
    return this.#fired?.reason;
  }

  throwIfAborted(): void {
    if (this.#fired !== undefined) throw this.#fired.reason;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (this.#fired === undefined) this.#listeners.add(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Fires once; later calls change nothing. */
  abort(reason: unknown): void {
    if (this.#fired !== undefined) return;
    this.#fired = { reason };
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }
}
