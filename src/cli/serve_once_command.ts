import { serveHelloOnce } from "../broker/serve_hello_once.ts";
import type { CommandLine } from "./command_line.ts";
import { runBroker } from "./run_broker.ts";

/** `--serve-once`: serves one connection, or runs until a signal. @returns The exit code. */
export async function serveOnceCommand(line: CommandLine): Promise<number> {
  const endpoint = line.required("--serve-once");
  return await runBroker("serve-once", endpoint, (wiring) => serveHelloOnce(endpoint, wiring));
}
