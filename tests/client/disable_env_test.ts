import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { BrokerClientError } from "../../src/client/client_error.ts";
import { connectToBackend } from "../../src/client/connect_to_backend.ts";
import { brokerDisabledByEnv, requireBrokerEnabled } from "../../src/client/disable_env.ts";
import { BrokerDisableEnvError } from "../../src/client/disable_env_error.ts";

const NAME = "RUNNING_PROCESS_DISABLE";
const before = process.env[NAME];

after(() => set(before));

function set(value: string | undefined): void {
  if (value === undefined) delete process.env[NAME];
  else process.env[NAME] = value;
}

test("unset means on, and 1 means off", () => {
  set(undefined);
  assert.equal(brokerDisabledByEnv(), false);
  requireBrokerEnabled();
  set("1");
  assert.equal(brokerDisabledByEnv(), true);
  assert.throws(requireBrokerEnabled, (error) => {
    assert.ok(error instanceof BrokerClientError);
    assert.deepEqual([error.kind, error.code], ["BrokerDisabled", "config"]);
    assert.match(error.message, /RUNNING_PROCESS_DISABLE=1 turns the broker off/);
    return true;
  });
});

test("any other value is a mistake that is told, the empty one included", () => {
  for (const value of ["", "0", "true", "yes", " 1", "1 ", "01", "11"]) {
    set(value);
    for (const ask of [brokerDisabledByEnv, requireBrokerEnabled]) {
      assert.throws(ask, (error) => {
        assert.ok(error instanceof BrokerDisableEnvError, String(error));
        assert.deepEqual([error.kind, error.value], ["DisableEnv", value]);
        assert.ok(error.message.includes(`must be unset or 1, seen ${JSON.stringify(value)}`), error.message);
        return true;
      });
    }
  }
});

test("the variable is read at each request", async () => {
  const ask = { service: "svc", version: "1.2.3", broker: "/nowhere/br.sock" };
  for (
    const [value, kind] of [["1", "BrokerDisabled"], ["no", "DisableEnv"], [
      undefined,
      "BrokerConnect",
    ]] as const
  ) {
    set(value);
    await assert.rejects(
      connectToBackend(ask),
      (error) => error instanceof BrokerClientError && error.kind === kind,
    );
  }
});
