import fc from "fast-check";
import assert from "node:assert/strict";
import test from "node:test";
import { ByteQueue } from "../../src/wire/byte_queue.ts";
import { createFirstFrameReader } from "../../src/wire/first_frame_reader.ts";
import { createFrameDecoder } from "../../src/wire/frame_decoder.ts";

test("ByteQueue holds what was appended and not discarded", () => {
  const step = fc.record({ append: fc.nat({ max: 700 }), discard: fc.nat({ max: 900 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20, size: "max" }), (steps) => {
      const queue = new ByteQueue();
      // Byte n of the stream is n mod 251, so that a displacement by a power of two shows.
      let [start, end] = [0, 0];
      for (const { append, discard } of steps) {
        queue.append(Uint8Array.from({ length: append }, (_, i) => (end + i) % 251));
        end += append;
        const count = Math.min(discard, end - start);
        queue.discard(count);
        start += count;
        assert.equal(queue.length, end - start);
        assert.ok(queue.bytes.every((byte, i) => byte === (start + i) % 251), "other bytes");
      }
    }),
  );
});

test("ByteQueue gives its memory back when it is empty", () => {
  const queue = new ByteQueue();
  queue.append(new Uint8Array(1 << 20));
  queue.discard(1 << 20);
  assert.equal(queue.bytes.buffer.byteLength, 0);
});

/** Runs an action and sums up the typed arrays it makes by length. */
function allocatedBytes(action: () => void): number {
  const original = globalThis.Uint8Array;
  let total = 0;
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, args: unknown[], newTarget) {
      if (typeof args[0] === "number") total += args[0];
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  try {
    action();
  } finally {
    globalThis.Uint8Array = original;
  }
  return total;
}

test("readers allocate by what arrived, not by the length a header announces", () => {
  const header = Uint8Array.of(1, 0, 0, 0, 1); // 16 MiB, the largest that is allowed
  const some = new Uint8Array(1000);
  const seen = allocatedBytes(() => {
    createFirstFrameReader().push(header);
    const reader = createFirstFrameReader();
    reader.push(header);
    reader.push(some);
    const decoder = createFrameDecoder();
    decoder.push(header);
    decoder.push(some);
  });
  assert.ok(seen > 0, "the allocations were not seen");
  assert.ok(seen < 16 * 1024, `allocated ${seen} bytes for 2015 that arrived`);
});
