// This module has no I/O.
import { ErrorCode } from "../../wire/gen/broker_v1_envelope_pb.ts";
import type { Refusal } from "../../wire/hello.ts";
import { refusal } from "../refusals.ts";

/** Good accepts in a row that end a demotion (protocol 6.9). */
export const FD_PRESSURE_RECOVERY_ACCEPTS = 3;
/** When a refused client may find descriptors again (protocol 6.9). */
export const FD_PRESSURE_RETRY_MS = 1_000;

/** What it is refused with (protocol 6.4). */
export const FD_PRESSURE_REASON = "broker is low on file descriptors; retry shortly";

const EXHAUSTION_CODES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);

/** Whether a failure of the system means that descriptors are used up: this process's or all. */
export function isFdExhaustion(code: string): boolean {
  return EXHAUSTION_CODES.has(code);
}

/** What the guard is set to. */
export interface FdPressureOptions {
  /** Good accepts in a row that end a demotion. @default {3} */
  readonly recoveryAccepts?: number;
  /** Hint in refusals, in milliseconds. @default {1000} */
  readonly retryAfterMs?: number;
}

/** Refuses Hellos while descriptors run out (protocol 6.9): what is left is for whoever is served already. */
export class FdPressureGuard {
  readonly #recoveryAccepts: number;
  readonly #retryAfterMs: number;
  #isDemoted = false;
  #goodAccepts = 0;
  #demotionsTotal = 0;
  #refusedTotal = 0;

  /** Makes a guard that lets Hellos through. */
  constructor(options: FdPressureOptions = {}) {
    this.#recoveryAccepts = options.recoveryAccepts ?? FD_PRESSURE_RECOVERY_ACCEPTS;
    this.#retryAfterMs = options.retryAfterMs ?? FD_PRESSURE_RETRY_MS;
  }

  /** Whether Hellos are refused. */
  get isDemoted(): boolean {
    return this.#isDemoted;
  }

  /** How often descriptors ran out so far; once for each time without recovery in between. */
  get demotionsTotal(): number {
    return this.#demotionsTotal;
  }

  /** Hellos refused so far. */
  get refusedTotal(): number {
    return this.#refusedTotal;
  }

  /** Descriptors are used up. @returns Whether that is news. */
  exhausted(): boolean {
    this.#goodAccepts = 0;
    if (this.#isDemoted) return false;
    this.#isDemoted = true;
    this.#demotionsTotal++;
    return true;
  }

  /** A connection was accepted with descriptors to spare. @returns Whether this ended a demotion. */
  accepted(): boolean {
    if (!this.#isDemoted || ++this.#goodAccepts < this.#recoveryAccepts) return false;
    this.#isDemoted = false;
    this.#goodAccepts = 0;
    return true;
  }

  /** The refusal of a Hello that came now, counted; `undefined` when it is to be answered. */
  refuse(): Refusal | undefined {
    if (!this.#isDemoted) return undefined;
    this.#refusedTotal++;
    return refusal(
      ErrorCode.ERROR_FD_PRESSURE,
      FD_PRESSURE_REASON,
      BigInt(this.#retryAfterMs),
    );
  }
}
