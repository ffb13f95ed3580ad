import process from "node:process";
import { serveBroker } from "../broker/serve_broker.ts";
import type { ServeBrokerOptions } from "../broker/serve_broker_options.ts";
import { logLine } from "./broker_log.ts";
import type { CommandLine } from "./command_line.ts";
import { COMMAND_NAME } from "./usage.ts";
import { writeError } from "./stdio.ts";

/** `--serve`: runs until a signal or the last connection asked for. @returns The exit code. */
export async function serveCommand(line: CommandLine): Promise<number> {
  const options = serveOptions(line);
  const stop = new AbortController();
  const signals = ["SIGTERM", "SIGINT"] as const;
  const onSignal = () => stop.abort();
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const broker = await serveBroker({
      ...options,
      signal: stop.signal,
      observe(event) {
        const text = logLine(event, options.endpoint);
        if (text !== undefined) writeError(`${COMMAND_NAME}: ${text}`);
      },
    });
    await broker.closed;
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    writeError(`${COMMAND_NAME}: serve failed: ${(error as Error).message}`);
    return 1;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

function serveOptions(line: CommandLine): ServeBrokerOptions {
  return {
    endpoint: line.required("--serve"),
    backend: {
      service: line.required("--service"),
      version: line.required("--version"),
      endpoint: line.required("--backend-endpoint"),
      handoffEndpoint: line.value("--handoff-endpoint"),
      identityFile: line.value("--identity-file"),
    },
    serviceDefinitionDir: line.value("--service-def-dir"),
    connectionsMax: line.count("--max-connections", 1),
    helloRate: line.count("--hello-rate", 0),
  };
}
