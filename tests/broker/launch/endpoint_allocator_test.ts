import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { ALLOCATION_ATTEMPTS_MAX, EndpointAllocator } from "../../../src/broker/launch/endpoint_allocator.ts";
import { LaunchError } from "../../../src/broker/launch/launch_error.ts";

const USER = "0123456789abcdef";

/** Randomness from a script: each number fills 16 bytes, the last one for ever. */
function scripted(numbers: readonly number[]) {
  let drawn = 0;
  const draw = (length: number) => {
    assert.equal(length, 16);
    return new Uint8Array(length).fill(numbers[Math.min(drawn++, numbers.length - 1)]!);
  };
  return { draw, drawn: () => drawn };
}

test("EndpointAllocator draws again when a name is reserved, in its namespace only", () => {
  const random = scripted([0xab, 0xab, 0xab, 0xcd]);
  const allocator = new EndpointAllocator(USER, random.draw);
  assert.equal(allocator.allocate("shared"), `rpb-v1-${USER}-be-${"ab".repeat(16)}`);
  assert.equal(allocator.allocate("private:x"), `rpb-v1-${USER}-be-${"ab".repeat(16)}`);
  assert.equal(allocator.allocate("shared"), `rpb-v1-${USER}-be-${"cd".repeat(16)}`);
  assert.equal(random.drawn(), 4);
});

test("EndpointAllocator gives up after 16 names that are reserved", () => {
  const random = scripted([1]);
  const allocator = new EndpointAllocator(USER, random.draw);
  allocator.allocate("shared");
  const isExhausted = (error: unknown) => error instanceof LaunchError && error.kind === "CollisionExhausted";
  assert.throws(() => allocator.allocate("shared"), isExhausted);
  assert.equal(random.drawn(), 1 + 16);
});

test("EndpointAllocator reserves exactly what is allocated and not released", () => {
  const act = fc.record({
    namespace: fc.constantFrom("shared", "private:x"),
    release: fc.boolean(),
    byte: fc.nat(5),
  });
  fc.assert(fc.property(fc.array(act, { maxLength: 50 }), (acts) => {
    let byte = 0;
    const allocator = new EndpointAllocator(USER, (length) => new Uint8Array(length).fill(byte));
    const model = new Set<string>();
    for (const { namespace, release, byte: next } of acts) {
      byte = next;
      const name = `rpb-v1-${USER}-be-${byte.toString(16).padStart(2, "0").repeat(16)}`;
      const entry = `${namespace} ${name}`;
      if (release) {
        allocator.release(namespace, name);
        model.delete(entry);
      } else if (model.has(entry)) {
        assert.throws(
          () => allocator.allocate(namespace),
          new RegExp(`collided ${ALLOCATION_ATTEMPTS_MAX} times`),
        );
      } else {
        assert.equal(allocator.allocate(namespace), name);
        model.add(entry);
      }
      assert.equal(allocator.reservedCount, model.size);
    }
  }));
});
