import process from "node:process";
import { BrokerClientError } from "./client_error.ts";

/** The variable that turns the broker path off: unset, or exactly `1` (protocol 5.1). */
export const DISABLE_VARIABLE = "RUNNING_PROCESS_DISABLE";

/**
 * Whether the user turned the broker path off with `RUNNING_PROCESS_DISABLE=1`.
 *
 * Requires `--allow-env=RUNNING_PROCESS_DISABLE` in Deno.
 *
 * @returns `false` when the variable is unset, `true` when it is exactly `1`.
 * @throws {BrokerClientError} Of kind "DisableEnv" for any other value, the empty one included.
 *
 * @example Usage
 * ```ts
 * import { brokerDisabledByEnv } from "@running-process/broker";
 * if (brokerDisabledByEnv()) console.log("going directly to the daemon");
 * ```
 */
export function brokerDisabledByEnv(): boolean {
  const value = process.env[DISABLE_VARIABLE];
  if (value === undefined) return false;
  if (value === "1") return true;
  throw new BrokerClientError(
    "DisableEnv",
    `${DISABLE_VARIABLE} must be unset or 1, seen ${JSON.stringify(value)}`,
  );
}

/** @throws {BrokerClientError} Of kind "BrokerDisabled" or "DisableEnv". */
export function requireBrokerEnabled(): void {
  if (!brokerDisabledByEnv()) return;
  throw new BrokerClientError(
    "BrokerDisabled",
    `${DISABLE_VARIABLE}=1 turns the broker off: connect to the daemon directly`,
  );
}
