import assert from "node:assert/strict";
import process from "node:process";
import test, { after } from "node:test";
import {
  brokerDisabledByEnv,
  BrokerDisableEnvError,
  RUNNING_PROCESS_DISABLE_ENV,
  RUNNING_PROCESS_DISABLE_VALUE,
} from "../../mod.ts";

const original = process.env[RUNNING_PROCESS_DISABLE_ENV];
after(() => {
  if (original === undefined) delete process.env[RUNNING_PROCESS_DISABLE_ENV];
  else process.env[RUNNING_PROCESS_DISABLE_ENV] = original;
});

test("brokerDisabledByEnv() is true for the one value there is, and false without the variable", () => {
  assert.deepEqual([RUNNING_PROCESS_DISABLE_ENV, RUNNING_PROCESS_DISABLE_VALUE], [
    "RUNNING_PROCESS_DISABLE",
    "1",
  ]);
  delete process.env[RUNNING_PROCESS_DISABLE_ENV];
  assert.equal(brokerDisabledByEnv(), false);
  process.env[RUNNING_PROCESS_DISABLE_ENV] = RUNNING_PROCESS_DISABLE_VALUE;
  assert.equal(brokerDisabledByEnv(), true);
});

test("brokerDisabledByEnv() refuses any other value, and says which it saw", () => {
  for (const value of ["true", "0", "", " 1", "yes"]) {
    process.env[RUNNING_PROCESS_DISABLE_ENV] = value;
    assert.throws(() => brokerDisabledByEnv(), (error) => {
      assert.ok(error instanceof BrokerDisableEnvError);
      assert.equal(error.value, value);
      return true;
    });
  }
});
