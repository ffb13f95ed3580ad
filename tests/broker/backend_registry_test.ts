import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type BackendKey,
  backendKeyFromText,
  backendKeyText,
  BackendRegistry,
  type RegisteredBackend,
} from "../../src/broker/backend_registry.ts";
import { backendOf } from "./_backends.ts";
import { registeredBackend } from "./_hello_values.ts";

const KEY: BackendKey = { instanceId: "shared", service: "svc", version: "1.2.3" };

test("keys that differ in one part have different texts, and a text gives its key back", () => {
  const name = fc.stringMatching(/^[a-z0-9.:-]{0,4}$/);
  const key = fc.record({ instanceId: name, service: name, version: name });
  fc.assert(fc.property(key, key, (one, other) => {
    const isSame = one.instanceId === other.instanceId && one.service === other.service &&
      one.version === other.version;
    assert.equal(backendKeyText(one) === backendKeyText(other), isSame);
    assert.deepEqual(backendKeyFromText(backendKeyText(one)), { ...one });
  }));
});

test("a backend is found by its whole key, and the newest of a key counts", () => {
  const registry = new BackendRegistry(() => true);
  const [first, second] = [registeredBackend({ key: KEY }), registeredBackend({ key: { ...KEY } })];
  assert.deepEqual(registry.find(KEY), {});
  registry.insert(first);
  assert.equal(registry.find({ ...KEY }).backend, first);
  registry.insert(second);
  assert.equal(registry.find(KEY).backend, second);
  assert.equal(registry.list().length, 1);
  for (const other of [{ instanceId: "private:svc" }, { service: "svc2" }, { version: "1.2.4" }]) {
    assert.deepEqual(registry.find({ ...KEY, ...other }), {});
  }
});

test("a dead backend is found once, as lost", () => {
  const dead = new Set<RegisteredBackend>();
  const registry = new BackendRegistry((backend) => !dead.has(backend));
  const [backend, other] = [
    registeredBackend({ key: KEY }),
    registeredBackend({ key: { ...KEY, version: "2.0.0" } }),
  ];
  registry.insert(backend);
  registry.insert(other);
  dead.add(backend);
  assert.equal(registry.isAlive(backend), false);
  assert.deepEqual(registry.list(), [backend, other], "nobody asked for it yet");
  assert.deepEqual(registry.find(KEY), { lost: backend });
  assert.deepEqual(registry.find(KEY), {});
  assert.deepEqual(registry.list(), [other]);
  assert.equal(registry.find(other.key).backend, other);
});

test("liveness is asked at each lookup, of the backend that is looked up", () => {
  const asked: RegisteredBackend[] = [];
  const registry = new BackendRegistry((backend) => (asked.push(backend), true));
  const backend = registeredBackend({ key: KEY });
  registry.insert(backend);
  registry.insert(registeredBackend({ key: { ...KEY, version: "2.0.0" } }));
  registry.find(KEY);
  registry.find(KEY);
  assert.deepEqual(asked, [backend, backend]);
});

test("remove() leaves a backend alone that has taken the key", () => {
  const registry = new BackendRegistry(() => true);
  const [first, second] = [registeredBackend({ key: KEY }), registeredBackend({ key: KEY })];
  registry.insert(first);
  registry.insert(second);
  registry.remove(first);
  assert.equal(registry.find(KEY).backend, second);
  registry.remove(second);
  registry.remove(second);
  assert.deepEqual(registry.find(KEY), {});
});

test("a backend that is held is listed and not found, dead or alive, until it is released", () => {
  let isAlive = true;
  const registry = new BackendRegistry(() => isAlive);
  const backend = backendOf();
  registry.insert(backend);
  registry.hold(backend);
  assert.deepEqual([registry.find(backend.key), registry.has(backend)], [{}, true]);
  isAlive = false;
  assert.deepEqual([registry.find(backend.key), registry.list()], [{}, [backend]]);
  isAlive = true;
  registry.release(backend);
  assert.deepEqual(registry.find(backend.key), { backend });
});

test("another backend in the place of one that is held is found", () => {
  const registry = new BackendRegistry(() => true);
  const [held, fresh] = [backendOf(), backendOf()];
  registry.insert(held);
  registry.hold(held);
  registry.insert(fresh);
  assert.deepEqual(registry.find(held.key).backend, fresh);
  assert.deepEqual([registry.has(held), registry.has(fresh)], [false, true]);
  registry.remove(held);
  assert.ok(registry.has(fresh));
});
