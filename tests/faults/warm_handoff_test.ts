import assert from "node:assert/strict";
import test from "node:test";
import { readExactly, startLocalBackend, startLocalBroker } from "./local_pair.ts";

const REQUEST = new TextEncoder().encode("first request");

test("a first request with the Hello: reconnects while the backend is not known to take it, then travels along", async () => {
  await using served = await startLocalBackend();
  await using local = await startLocalBroker(served);
  const connect = () => local.connect({ earlyData: { bytes: REQUEST, repeatable: true } });
  const cold = await connect();
  assert.equal(cold.route, "broker-negotiated");
  assert.deepEqual(await readExactly(cold.stream, REQUEST.length), REQUEST);
  cold.close();
  await local.events.nth("handoff-channel", 1);
  for (let round = 0; round < 50; round++) {
    const warm = await connect();
    assert.equal(warm.route, "handle-passed");
    assert.deepEqual(await readExactly(warm.stream, REQUEST.length), REQUEST);
    await warm.stream.write(new Uint8Array([round]));
    assert.deepEqual(await readExactly(warm.stream, 1), new Uint8Array([round]));
    warm.close();
  }
});
