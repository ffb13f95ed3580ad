import { serveBroker } from "../broker/serve_broker.ts";
import type { ServeBrokerOptions } from "../broker/serve_broker_options.ts";
import { hostValues } from "../host/host_values.ts";
import { lifecycleLogPath } from "../naming/lifecycle_log_path.ts";
import type { CommandLine } from "./command_line.ts";
import { runBroker } from "./run_broker.ts";

/** `--serve`: runs until a signal or the last connection asked for. @returns The exit code. */
export async function serveCommand(line: CommandLine): Promise<number> {
  return await serve(serveOptions(line));
}

/** `--serve-launch`: the same without a backend: each is launched when it is asked for. @returns The exit code. */
export async function serveLaunchCommand(line: CommandLine): Promise<number> {
  return await serve({ endpoint: line.required("--serve-launch"), launch: true, ...commonOptions(line) });
}

async function serve(options: ServeBrokerOptions): Promise<number> {
  return await runBroker("serve", options.endpoint, (wiring) => serveBroker({ ...options, ...wiring }));
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
    ...commonOptions(line),
  };
}

function commonOptions(line: CommandLine) {
  return {
    serviceDefinitionDir: line.value("--service-def-dir"),
    connectionsMax: line.count("--max-connections", 1),
    helloRate: line.count("--hello-rate", 0),
    lifecycleLog: lifecycleLogPath(hostValues()),
  };
}
