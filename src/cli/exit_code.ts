// This module has no I/O.
import { BrokerError } from "../errors.ts";

/** The largest exit code a process can have; a larger one would be cut to its low byte, 256 to success. */
const EXIT_CODE_MAX = 255;

/** Somebody serves the endpoint already: "try again later" in the words of sysexits. */
export const EXIT_ENDPOINT_TAKEN = 75;

/** What a shell reports of a process that a signal ended, above the signal's number. */
const EXIT_SIGNAL_BASE = 128;

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

/** The signals that stop a broker. */
export type StopSignal = keyof typeof SIGNAL_NUMBERS;

/** The exit code for the one in a reply: the same, or 1 when no process can exit with it. */
export function exitCodeOf(replied: number): number {
  return replied <= EXIT_CODE_MAX ? replied : 1;
}

/** The exit code of a broker that could not start. */
export function exitCodeOfFailure(error: unknown): number {
  return BrokerError.is(error) && error.code === "endpoint-taken" ? EXIT_ENDPOINT_TAKEN : 1;
}

/** The exit code of a broker that was told a second time to stop, and did at once. */
export function exitCodeOfSignal(signal: StopSignal): number {
  return EXIT_SIGNAL_BASE + SIGNAL_NUMBERS[signal];
}
