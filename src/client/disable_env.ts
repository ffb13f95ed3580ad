import process from "node:process";
import { BrokerClientError } from "./client_error.ts";
import { BrokerDisableEnvError } from "./disable_env_error.ts";

/** The variable that turns the broker path off: unset, or exactly `1` (protocol 5.1). */
export const RUNNING_PROCESS_DISABLE_ENV = "RUNNING_PROCESS_DISABLE";
/** The only value the variable may have. */
export const RUNNING_PROCESS_DISABLE_VALUE = "1";

/**
 * Whether the user turned the broker path off with `RUNNING_PROCESS_DISABLE=1`.
 *
 * Requires `--allow-env=RUNNING_PROCESS_DISABLE` in Deno.
 *
 * @returns `false` when the variable is unset, `true` when it is exactly `1`.
 * @throws {BrokerDisableEnvError} For any other value, the empty one included.
 *
 * @example Usage
 * ```ts
 * import { brokerDisabledByEnv } from "@running-process/broker";
 * if (brokerDisabledByEnv()) console.log("going directly to the daemon");
 * ```
 */
export function brokerDisabledByEnv(): boolean {
  const value = process.env[RUNNING_PROCESS_DISABLE_ENV];
  if (value === undefined) return false;
  if (value === RUNNING_PROCESS_DISABLE_VALUE) return true;
  const wanted = `unset or ${RUNNING_PROCESS_DISABLE_VALUE}`;
  throw new BrokerDisableEnvError(value, `${RUNNING_PROCESS_DISABLE_ENV} must be ${wanted}`);
}

/**
 * Insists that the user did not turn the broker path off; see {@linkcode brokerDisabledByEnv}.
 *
 * @throws {BrokerClientError} Of kind "BrokerDisabled" or "DisableEnv".
 */
export function requireBrokerEnabled(): void {
  if (!brokerDisabledByEnv()) return;
  throw new BrokerClientError(
    "BrokerDisabled",
    `${RUNNING_PROCESS_DISABLE_ENV}=1 turns the broker off: connect to the daemon directly`,
  );
}
