import assert from "node:assert/strict";
import test from "node:test";
import { BackendRegistry } from "../../src/broker/backend_registry.ts";
import { backendOf } from "./_backends.ts";

test("BackendRegistry.find() returns the backend that was inserted, endpoint and version with it", () => {
  const registry = new BackendRegistry(() => true);
  const backend = backendOf();
  registry.insert(backend);
  const { backend: found } = registry.find({ instanceId: "shared", service: "svc", version: "1.2.3" });
  assert.equal(found, backend);
  assert.deepEqual([found?.daemonVersion, found?.backendPipe], ["1.2.3", "/run/svc-1.2.3.sock"]);
  assert.deepEqual(registry.find({ ...backend.key, version: "1.2.4" }), {});
});

test("BackendRegistry keeps the same service and version of two broker instances apart", () => {
  const registry = new BackendRegistry(() => true);
  const shared = backendOf();
  const own = backendOf({ instanceId: "private:svc" });
  registry.insert(shared);
  assert.deepEqual(registry.find(own.key), {});
  registry.insert(own);
  assert.equal(registry.find(own.key).backend, own);
  assert.equal(registry.find(shared.key).backend, shared);
});

test("BackendRegistry.insert() replaces what has the same key", () => {
  const registry = new BackendRegistry(() => true);
  const [first, second] = [backendOf(), backendOf({}, { backendPipe: "/run/second.sock" })];
  registry.insert(first);
  registry.insert(second);
  assert.deepEqual(registry.list(), [second]);
  registry.remove(first);
  assert.deepEqual(registry.list(), [second], "a successor is not removed in its predecessor's place");
});

test("BackendRegistry.find() prunes a backend whose process is gone, and says which", () => {
  const registry = new BackendRegistry(() => false);
  const backend = backendOf();
  registry.insert(backend);
  assert.deepEqual(registry.find(backend.key), { lost: backend });
  assert.deepEqual(registry.list(), []);
});
