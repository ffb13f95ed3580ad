import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { BrokerClientError, brokerDisabledByEnv } from "../../mod.ts";
import { requireEcho } from "./local_pair.ts";
import { startScriptedBroker } from "./scripted_broker.ts";

const VARIABLE = "RUNNING_PROCESS_DISABLE";
const original = process.env[VARIABLE];

function set(value: string | undefined): void {
  if (value === undefined) delete process.env[VARIABLE];
  else process.env[VARIABLE] = value;
}
after(() => set(original));

test("without the variable the broker is asked", async () => {
  set(undefined);
  assert.equal(brokerDisabledByEnv(), false);
  await using broker = await startScriptedBroker(async ({ stream, reply }) => await stream.write(reply()));
  await using session = await broker.connect();
  await requireEcho(session.stream, "served");
});

for (
  const [value, kind] of [["1", "BrokerDisabled"], ["0", "DisableEnv"], ["", "DisableEnv"], [
    "true",
    "DisableEnv",
  ]] as const
) {
  test(`with "${value}" nobody is asked, not even a cached endpoint: ${kind}`, async () => {
    let connections = 0;
    await using broker = await startScriptedBroker(() => {}, (stream) => (connections++, stream.close()));
    set(value);
    try {
      for (const cachedBackendEndpoint of [undefined, broker.backendEndpoint]) {
        const connecting = broker.connect({ cachedBackendEndpoint });
        const error = await connecting.then(() => undefined, (reason: unknown) => reason);
        assert.ok(error instanceof BrokerClientError);
        assert.deepEqual({ kind: error.kind, code: error.code }, { kind, code: "config" });
        if (kind === "DisableEnv") {
          assert.match(error.message, new RegExp(`must be unset or 1, seen "${value}"`));
        }
      }
      assert.equal(connections, 0);
      if (value === "1") assert.equal(brokerDisabledByEnv(), true);
      else assert.throws(() => brokerDisabledByEnv(), BrokerClientError);
    } finally {
      set(undefined);
    }
  });
}
