// This module has no I/O.
import { UsageError } from "./command_line.ts";

/** The option that names the broker to ask; it may stand anywhere. */
const OPTION = "--socket";

/** The variable that names it when the option does not; empty counts as unset. */
export const ADMIN_SOCKET_VARIABLE = "RUNNING_PROCESS_BROKER_V1_SOCKET";

/** A command line without its global option. */
export interface AdminSocketChoice {
  /** The other arguments, in their order. */
  readonly args: readonly string[];
  /** Endpoint of the broker to ask; `undefined` when none is. */
  readonly endpoint: string | undefined;
}

/**
 * Takes the global `--socket` out of a command line (protocol 10.1).
 *
 * @param args The arguments as they were given.
 * @param environment The variables of the process.
 * @throws {UsageError} When the option is given twice, is empty or has no value.
 */
export function takeAdminSocket(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): AdminSocketChoice {
  const rest: string[] = [];
  let endpoint: string | undefined;
  for (let i = 0; i < args.length; i++) {
    if (args[i] !== OPTION) {
      rest.push(args[i]!);
      continue;
    }
    const value = args[++i];
    if (value === undefined) throw new UsageError(`${OPTION} needs an endpoint`);
    if (value === "") throw new UsageError(`${OPTION} needs an endpoint that is not empty`);
    if (endpoint !== undefined) throw new UsageError(`${OPTION} may be given once`);
    endpoint = value;
  }
  return { args: rest, endpoint: endpoint ?? (environment[ADMIN_SOCKET_VARIABLE] || undefined) };
}
