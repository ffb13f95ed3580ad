// This module has no I/O.

/** Milliseconds without a Hello after which a backend is let go (protocol 6.14). */
export const IDLE_TIMEOUT_MS_DEFAULT = 30_000;

/** Where a backend is on its way out. */
export type IdleState =
  /** Hellos go to it. */
  | "Running"
  /** It was found idle and is being asked to end. */
  | "Draining"
  /** It ends. */
  | "Quiesced";

/** A backend that has been idle for long enough. */
export interface IdleDue<Key> {
  readonly key: Key;
  /** Milliseconds since its last activity. */
  readonly idleForMs: number;
  /** After how many milliseconds it was due. */
  readonly idleTimeoutMs: number;
  /** What a backend is told. */
  readonly reason: "IdleTimeout";
}

interface Tracked {
  state: IdleState;
  lastActivityMs: number;
  idleTimeoutMs: number;
}

/** Knows when each backend was last asked for, and finds those that nobody asks for any more (protocol 6.14). */
export class IdleCoordinator<Key> {
  readonly #idleTimeoutMs: number;
  readonly #tracked = new Map<Key, Tracked>();

  /**
   * Makes a coordinator that tracks nothing.
   *
   * @param idleTimeoutMs For backends without a time of their own; 0 becomes 1.
   */
  constructor(idleTimeoutMs: number = IDLE_TIMEOUT_MS_DEFAULT) {
    this.#idleTimeoutMs = atLeastOne(idleTimeoutMs);
  }

  /** Milliseconds that apply to backends without a time of their own. */
  get idleTimeoutMs(): number {
    return this.#idleTimeoutMs;
  }

  /**
   * Notes that a backend was asked for; whatever it was on its way to, it is `Running` then.
   *
   * @param idleTimeoutMs Its own time; 0 becomes 1.
   */
  markActivity(key: Key, nowMs: number, idleTimeoutMs: number = this.#idleTimeoutMs): void {
    const own = atLeastOne(idleTimeoutMs);
    const tracked = this.#tracked.get(key);
    if (tracked === undefined) {
      this.#tracked.set(key, { state: "Running", lastActivityMs: nowMs, idleTimeoutMs: own });
      return;
    }
    tracked.state = "Running";
    tracked.lastActivityMs = nowMs;
    tracked.idleTimeoutMs = own;
  }

  /** Notes that a backend ends. @returns Whether it is tracked. */
  markQuiesced(key: Key): boolean {
    const tracked = this.#tracked.get(key);
    if (tracked !== undefined) tracked.state = "Quiesced";
    return tracked !== undefined;
  }

  /** Forgets a backend. @returns Whether it was tracked. */
  remove(key: Key): boolean {
    return this.#tracked.delete(key);
  }

  /** The state of a backend; `undefined` when it is not tracked. */
  stateOf(key: Key): IdleState | undefined {
    return this.#tracked.get(key)?.state;
  }

  /** The running backends whose time is up; they are `Draining` from now on, so that none is given twice. */
  collectDue(nowMs: number): IdleDue<Key>[] {
    const due: IdleDue<Key>[] = [];
    for (const [key, tracked] of this.#tracked) {
      const idleForMs = nowMs - tracked.lastActivityMs;
      if (tracked.state !== "Running" || idleForMs < tracked.idleTimeoutMs) continue;
      tracked.state = "Draining";
      due.push({ key, idleForMs, idleTimeoutMs: tracked.idleTimeoutMs, reason: "IdleTimeout" });
    }
    return due;
  }

  /** When the next running backend is due if nothing happens; `undefined` when none runs. */
  get nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { state, lastActivityMs, idleTimeoutMs } of this.#tracked.values()) {
      const dueMs = lastActivityMs + idleTimeoutMs;
      if (state === "Running" && (next === undefined || dueMs < next)) next = dueMs;
    }
    return next;
  }
}

function atLeastOne(ms: number): number {
  return Math.max(1, ms);
}
