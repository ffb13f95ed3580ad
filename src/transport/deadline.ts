import { BrokerError } from "../errors.ts";
import type { WaitOptions } from "./wait_options.ts";
import { type CancelSignal, CancelSource } from "../cancel_signal.ts";

/**
 * Runs an act with a signal that fires at its deadline or when the caller's signal does.
 *
 * @param act What is waited for, for the message: "read the Hello reply of …".
 * @throws {BrokerError} With code "deadline" when the time is up; the caller's abort reason otherwise.
 */
export async function withDeadline<T>(
  act: string,
  { deadlineMs, signal }: WaitOptions,
  run: (signal: CancelSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const source = new CancelSource();
  const timer = setTimeout(() => {
    source.abort(new BrokerError("deadline", `Cannot ${act}: nothing came within ${deadlineMs} ms`));
  }, deadlineMs);
  const abort = () => source.abort(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await run(source);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
