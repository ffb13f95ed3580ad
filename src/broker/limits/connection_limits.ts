// This module has no I/O.
import { ErrorCode } from "../../wire/gen/broker_v1_envelope_pb.ts";
import type { Refusal } from "../../wire/hello.ts";
import { refusal } from "../refusals.ts";

/** Connections of one process served at once: far above any tool, and a quarter of what all have together. */
export const CONNECTIONS_PER_PROCESS_MAX_DEFAULT = 128;
/** Connections beyond a limit that are answered at once: each costs a descriptor for a moment. */
const REFUSED_AT_ONCE_MAX = 32;
/** Of them those of one process: a process at its own limit must not use up the answers of all. */
const REFUSED_PER_PROCESS_MAX = 8;
/** Connections that are answered at once out of the descriptors kept back; each needs two for a moment. */
export const PRESSED_AT_ONCE_MAX = 3;
/** When a refused client may find room. */
const RETRY_MS = 1_000n;

/** Which limit a connection met. */
export type ConnectionLimit =
  /** So many connections are served at once. */
  | "connections-open"
  /** So many of one process are. */
  | "connections-per-process"
  /** So few descriptors are left. */
  | "descriptors"
  /** So many connections were to be served altogether. */
  | "connections-total";

/** What becomes of a connection that was accepted. */
export type Admission =
  | { readonly kind: "serve" }
  /** Read and answered, but its Hello is refused. */
  | { readonly kind: "refuse"; readonly limit: ConnectionLimit; readonly refusal: Refusal | undefined }
  /** Closed unread: there are too many even to tell them. */
  | { readonly kind: "close"; readonly limit: ConnectionLimit };

/** What the limits are set to. */
export interface ConnectionLimitOptions {
  /** Connections served at once. */
  readonly openMax: number;
  /** Connections of one process served at once. */
  readonly perProcessMax: number;
}

interface Counts {
  served: number;
  refused: number;
}

const REFUSALS_BY_LIMIT: Readonly<Partial<Record<ConnectionLimit, Refusal>>> = {
  "connections-open": refusal(
    ErrorCode.ERROR_RATE_LIMITED,
    "broker has too many open connections; retry shortly",
    RETRY_MS,
  ),
  "connections-per-process": refusal(
    ErrorCode.ERROR_RATE_LIMITED,
    "process has too many open connections; retry shortly",
    RETRY_MS,
  ),
};

/** Shares the connections of a broker out: no process has them all, and who gets none is told while that is possible. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitOptions;
  readonly #all: Counts = { served: 0, refused: 0 };
  /** Only processes with connections; an entry goes with its last one. */
  readonly #processes = new Map<number, Counts>();

  /** Makes limits under which nothing is open. */
  constructor(options: ConnectionLimitOptions) {
    this.#options = options;
  }

  /** Processes that have connections now. */
  get processes(): number {
    return this.#processes.size;
  }

  /**
   * Decides on a connection and counts it.
   *
   * @param pid Whose it is, by the kernel; 0 (unknown) has no limit of its own.
   * @param isPressed Whether only the descriptors kept back are left.
   * @returns What becomes of it, and what to call when it has ended.
   */
  admit(pid: number, isPressed: boolean): { readonly admission: Admission; readonly leave: () => void } {
    const process = pid === 0 ? undefined : this.#processes.get(pid);
    const limit = this.#limitOf(process, isPressed);
    if (limit === undefined) return { admission: { kind: "serve" }, leave: this.#enter(pid, "served") };
    if (!this.#canTell(process, limit)) return { admission: { kind: "close", limit }, leave: () => {} };
    const admission: Admission = { kind: "refuse", limit, refusal: REFUSALS_BY_LIMIT[limit] };
    return { admission, leave: this.#enter(pid, "refused") };
  }

  #limitOf(process: Counts | undefined, isPressed: boolean): ConnectionLimit | undefined {
    if (isPressed) return "descriptors";
    if (this.#all.served >= this.#options.openMax) return "connections-open";
    if ((process?.served ?? 0) >= this.#options.perProcessMax) return "connections-per-process";
    return undefined;
  }

  #canTell(process: Counts | undefined, limit: ConnectionLimit): boolean {
    if (limit === "descriptors") return this.#all.refused < PRESSED_AT_ONCE_MAX;
    return this.#all.refused < REFUSED_AT_ONCE_MAX && (process?.refused ?? 0) < REFUSED_PER_PROCESS_MAX;
  }

  #enter(pid: number, as: keyof Counts): () => void {
    const counts = pid === 0 ? undefined : this.#processes.get(pid) ?? { served: 0, refused: 0 };
    if (counts !== undefined) {
      counts[as]++;
      this.#processes.set(pid, counts);
    }
    this.#all[as]++;
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#all[as]--;
      if (counts === undefined) return;
      counts[as]--;
      if (counts.served + counts.refused === 0) this.#processes.delete(pid);
    };
  }
}
