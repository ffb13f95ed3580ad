import process from "node:process";
import type { Broker } from "../broker/broker.ts";
import type { BrokerObserver } from "../broker/broker_event.ts";
import { logLine } from "./broker_log.ts";
import { writeError } from "./stdio.ts";
import { COMMAND_NAME } from "./usage.ts";

/** What a broker on the command line is started with. */
export interface BrokerWiring {
  /** Stops it: fired by SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  /** Writes its log to stderr. */
  readonly observe: BrokerObserver;
}

/**
 * Runs a broker until a signal, or until it stops by itself.
 *
 * @param mode What its failure is called: "serve", "serve-once".
 * @returns The exit code.
 */
export async function runBroker(
  mode: string,
  endpoint: string,
  start: (wiring: BrokerWiring) => Promise<Broker>,
): Promise<number> {
  const stop = new AbortController();
  const signals = ["SIGTERM", "SIGINT"] as const;
  const onSignal = () => stop.abort();
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const broker = await start({
      signal: stop.signal,
      observe(event) {
        const text = logLine(event, endpoint);
        if (text !== undefined) writeError(`${COMMAND_NAME}: ${text}`);
      },
    });
    await broker.closed;
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    writeError(`${COMMAND_NAME}: ${mode} failed: ${(error as Error).message}`);
    return 1;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
