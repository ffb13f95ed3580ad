import process from "node:process";
import type { Broker } from "../broker/broker.ts";
import type { BrokerObserver } from "../broker/broker_event.ts";
import { exitCodeOfFailure, exitCodeOfSignal, type StopSignal } from "./exit_code.ts";
import { formatEvent, formatFailure, logFormatOf } from "./log_format.ts";
import { writeError } from "./stdio.ts";

/** What a broker on the command line is started with. */
export interface BrokerWiring {
  /** Stops it: fired by SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  /** Writes its log to stderr. */
  readonly observe: BrokerObserver;
}

/**
 * Runs a broker until a signal, or until it stops by itself. A second signal ends the process at once.
 *
 * @param mode What its failure is called: "serve", "serve-once".
 * @returns The exit code: 75 when somebody serves the endpoint already.
 * @throws {UsageError} When the log is asked for in a format that is not known.
 */
export async function runBroker(
  mode: string,
  endpoint: string,
  start: (wiring: BrokerWiring) => Promise<Broker>,
): Promise<number> {
  const format = logFormatOf(process.env);
  const stop = new StopSignals();
  try {
    const broker = await start({
      signal: stop.signal,
      observe(event) {
        const text = formatEvent(format, event, endpoint, Date.now());
        if (text !== undefined) writeError(text);
      },
    });
    stop.broker = broker;
    await broker.closed;
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    const message = `${mode} failed: ${(error as Error).message}`;
    writeError(formatFailure(format, message, endpoint, Date.now()));
    return exitCodeOfFailure(error);
  } finally {
    stop.forget();
  }
}

const STOP_SIGNALS: readonly StopSignal[] = ["SIGTERM", "SIGINT"];

/** The signals of an operator: the first one stops the broker, the second one ends the process. */
class StopSignals {
  /** Set once there is one. */
  broker: Broker | undefined;
  readonly #stop = new AbortController();
  readonly #onSignal = (signal: NodeJS.Signals) => {
    if (!this.#stop.signal.aborted) return this.#stop.abort();
    void this.#endNow(signal as StopSignal);
  };

  constructor() {
    for (const signal of STOP_SIGNALS) process.on(signal, this.#onSignal);
  }

  /** Fires with the first one. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  forget(): void {
    for (const signal of STOP_SIGNALS) process.off(signal, this.#onSignal);
  }

  /** Nothing under way is waited for; only the name is taken along. */
  async #endNow(signal: StopSignal): Promise<void> {
    await this.broker?.close({ drainDeadlineMs: 0 }).catch(() => {/* the process ends all the same */});
    process.exit(exitCodeOfSignal(signal));
  }
}
