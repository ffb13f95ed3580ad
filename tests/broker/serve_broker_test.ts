import assert from "node:assert/strict";
import test from "node:test";
import { BrokerError, serveBroker } from "../../mod.ts";
import { makeTempDir } from "../support/temp_dir.ts";

test("serveBroker() wants either a backend or launch", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("br.sock");
  const backend = { service: "my-daemon", version: "1.0.0", endpoint: dir.join("be.sock") };
  for (const options of [{}, { launch: false }, { launch: true, backend }]) {
    const isConfig = (error: unknown) =>
      BrokerError.is(error) && error.code === "config" && /either a backend or launch/.test(String(error));
    await assert.rejects(serveBroker({ endpoint, ...options }), isConfig);
  }
});

test("serveBroker() that launches needs nothing to start, and starts nothing", async () => {
  await using dir = await makeTempDir();
  const endpoint = dir.join("br.sock");
  const events: string[] = [];
  const observe = ({ kind }: { kind: string }) => events.push(kind);
  await using broker = await serveBroker({
    endpoint,
    launch: true,
    serviceDefinitionDir: dir.join("none"),
    observe,
  });
  assert.equal(broker.endpoint, endpoint);
  assert.deepEqual(events, ["listening"]);
});
