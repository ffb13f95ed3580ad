// This module has no I/O.
import { BrokerClientError } from "./client_error.ts";

/** The variable that turns the broker path off has a value that means nothing (protocol 5.1). */
export class BrokerDisableEnvError extends BrokerClientError {
  override readonly name: string = "BrokerDisableEnvError";
  /** The value that was seen. */
  readonly value: string;

  /**
   * @param value The value that was seen.
   * @param wanted What it must be.
   */
  constructor(value: string, wanted: string) {
    super("DisableEnv", `${wanted}, seen ${JSON.stringify(value)}`);
    this.value = value;
  }
}
