// This module has no I/O.
import { BrokerClientError } from "./client_error.ts";

/** The variable that turns the broker path off has a value that means nothing (protocol 5.1). */
export class BrokerDisableEnvError extends BrokerClientError {
  /** Always "BrokerDisableEnvError". */
  override readonly name: string = "BrokerDisableEnvError";
  /** The value that was seen. */
  readonly value: string;

  /**
   * Makes the error; its kind is "DisableEnv".
   *
   * @param value The value that was seen.
   * @param wanted What it must be.
   */
  constructor(value: string, wanted: string) {
    super("DisableEnv", `${wanted}, seen ${JSON.stringify(value)}`);
    this.value = value;
  }
}
