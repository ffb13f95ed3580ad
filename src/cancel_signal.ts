// This module has no I/O.

/**
 * The part of an `AbortSignal` that waits inside this package look at.
 *
 * Every handoff waits a few times. A platform's own signal is held by weak references and goes only with a
 * full garbage collection, so the waits inside use a lighter one.
 */
export interface CancelSignal {
  /** Whether it has fired. */
  readonly aborted: boolean;
  /** What it fired with; `undefined` until then. */
  readonly reason: unknown;
  /** Throws the reason once it has fired, else does nothing. */
  throwIfAborted(): void;
  /** Calls a listener once when it fires; never when it has fired already. */
  addEventListener(type: "abort", listener: () => void, options?: { once: boolean }): void;
  /** Forgets a listener. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/** A {@linkcode CancelSignal} that whoever made it can fire. */
export class CancelSource implements CancelSignal {
  #listeners: Set<() => void> | undefined;
  #fired: { readonly reason: unknown } | undefined;

  /** Whether {@linkcode CancelSource.abort} was called. */
  get aborted(): boolean {
    return this.#fired !== undefined;
  }

  /** What the first call of {@linkcode CancelSource.abort} gave; `undefined` until then. */
  get reason(): unknown {
    return this.#fired?.reason;
  }

  /** Throws the reason once it has fired, else does nothing. */
  throwIfAborted(): void {
    if (this.#fired !== undefined) throw this.#fired.reason;
  }

  /** Keeps a listener until it fires or is removed; one that comes after that is never called. */
  addEventListener(_type: "abort", listener: () => void): void {
    if (this.#fired === undefined) (this.#listeners ??= new Set()).add(listener);
  }

  /** Forgets a listener; one that was never added is ignored. */
  removeEventListener(_type: "abort", listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  /** Fires once; later calls change nothing. */
  abort(reason: unknown): void {
    if (this.#fired !== undefined) return;
    this.#fired = { reason };
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) listener();
  }
}
