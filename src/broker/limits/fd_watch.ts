import type { PublishedListener } from "../../transport/local_stream.ts";
import type { DescriptorReserve } from "../../transport/transport.ts";
import type { BrokerObserver } from "../broker_event.ts";
import { FdPressureGuard, isFdExhaustion } from "./fd_pressure_guard.ts";

/**
 * Descriptors kept back: enough to tell three clients that there are no more (two each for a moment), to accept
 * and drop another one, and to look something up for an operator.
 */
export const DESCRIPTORS_KEPT = 8;
/** Between two looks while descriptors are short: the reference waits as long after a failed accept. */
export const PRESSED_LOOK_MS = 50;
/** Between two looks otherwise: they cost three system calls. */
export const QUIET_LOOK_MS = 1_000;

/** What a watch looks after. */
export interface FdWatchParts {
  /** Descriptors kept back. */
  readonly reserve: DescriptorReserve;
  /** Told how it stands. */
  readonly observe: BrokerObserver;
  /** Closes the client that has been silent for longest. @returns Whether there was one. */
  readonly shed: () => boolean;
}

type Listener = Partial<Pick<PublishedListener, "hasWaiting" | "acceptAgain">>;

/**
 * Sees descriptors run out, which the runtimes do not tell: Node drops whoever waits to be accepted, Bun tries
 * again without end, and Deno never accepts again. So some are kept back, and whether there are others is tried
 * at every accept.
 */
export class FdWatch {
  /** Decides on Hellos. */
  readonly guard: FdPressureGuard = new FdPressureGuard();
  readonly #parts: FdWatchParts;
  #accepts = 0;
  #listener: Listener | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Accepts at the last look, if a connection was waiting then. */
  #waitingSince: number | undefined;

  /** Watches over descriptors; see {@linkcode FdWatch.start}. */
  constructor(parts: FdWatchParts) {
    this.#parts = parts;
  }

  /** Whether only the descriptors kept back are left. */
  get isPressed(): boolean {
    return !this.#parts.reserve.isWhole;
  }

  /** Open descriptors in parts of their limit; 0 where the limit is not known. */
  get usedRatio(): number {
    return this.#parts.reserve.usedRatio();
  }

  /** Looks after a listener from now on. */
  start(listener: Listener): void {
    this.#listener = listener;
    this.#schedule();
  }

  /** Stops looking and gives the reserve up. Idempotent. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#listener = undefined;
    this.#parts.reserve.close();
  }

  /**
   * To be called for each connection that was accepted, before anything is opened for it.
   *
   * @param number Of its native end.
   */
  accepted(number?: number): void {
    const { reserve } = this.#parts;
    this.#accepts++;
    const room = this.guard.isDemoted ? reserve.count() : reserve.glance(number);
    if (room !== "enough") {
      return this.#exhausted("too few were left behind an accepted connection");
    }
    if (!this.guard.isDemoted) return;
    if (!reserve.refill()) return void this.guard.exhausted();
    if (this.guard.accepted()) this.#parts.observe({ kind: "fd-pressure", isDemoted: false, detail: "" });
  }

  /** To be called when the runtime tells that accepting failed. */
  acceptFailed(code: string): void {
    if (isFdExhaustion(code)) this.#exhausted(`accepting a connection gave ${code}`);
  }

  #exhausted(detail: string): void {
    const { reserve, observe, shed } = this.#parts;
    if (reserve.isWhole) reserve.release();
    // Even those kept back are taken: whoever has not said a word makes room.
    else if (reserve.glance() === "none") shed();
    if (!this.guard.exhausted()) return;
    observe({ kind: "fd-pressure", isDemoted: true, detail });
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#listener === undefined) return;
    const afterMs = this.guard.isDemoted ? PRESSED_LOOK_MS : QUIET_LOOK_MS;
    this.#timer = setTimeout(() => this.#look(), afterMs);
  }

  #look(): void {
    const { reserve } = this.#parts;
    const room = reserve.count();
    if (room !== "enough") this.#exhausted("too few were left");
    else if (this.guard.isDemoted) reserve.refill();
    if (room !== "none") this.#lookAtQueue();
    this.#schedule();
  }

  /** Whoever waits at two looks without an accept in between waits for a runtime that has given up. */
  #lookAtQueue(): void {
    const listener = this.#listener;
    const isWaiting = listener?.hasWaiting?.() ?? false;
    if (isWaiting && this.#waitingSince === this.#accepts) void listener?.acceptAgain?.();
    this.#waitingSince = isWaiting ? this.#accepts : undefined;
  }
}
