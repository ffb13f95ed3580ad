import assert from "node:assert/strict";
import { BrokerError, type BrokerErrorCode } from "../../mod.ts";

/** Wants an act to fail for what it was told, with a message that says so. */
export async function requireConfigError(act: Promise<unknown>, message: RegExp): Promise<void> {
  await requireError("config", act, message);
}

/** Wants an act to fail because somebody serves the endpoint already, with a message that says who. */
export async function requireTakenError(act: Promise<unknown>, message: RegExp): Promise<void> {
  await requireError("endpoint-taken", act, message);
}

async function requireError(code: BrokerErrorCode, act: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await act.then(() => undefined, (reason: unknown) => reason);
  assert.ok(BrokerError.is(error), `no BrokerError: ${String(error)}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
}
