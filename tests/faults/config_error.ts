import assert from "node:assert/strict";
import { BrokerError } from "../../mod.ts";

/** Wants an act to fail for what it was told, with a message that says so. */
export async function requireConfigError(act: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await act.then(() => undefined, (reason: unknown) => reason);
  assert.ok(BrokerError.is(error), `no BrokerError: ${String(error)}`);
  assert.equal(error.code, "config", error.message);
  assert.match(error.message, message);
}
