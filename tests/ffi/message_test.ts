import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MessageArena } from "../../ffi/message.ts";
import { FakeLibc, FakeMessage, knownLayout } from "./fake_libc.ts";
import { layout, libc } from "./native_fixture.ts";

for (const platform of ["linux", "darwin"] as const) {
  describe(`MessageArena of ${platform}`, () => {
    const shape = knownLayout(platform);
    const fake = new FakeLibc(shape);
    const arena = new MessageArena(fake, shape, 24, 100);
    const view = () => new FakeMessage(shape, arena.bytes, fake.address(arena.bytes));

    test("points at its own payload and control data", () => {
      arena.prepare(100, 24);
      const { payload, control, vectorCount } = view();
      assert.equal(vectorCount, 1);
      arena.payload.fill(0x11);
      arena.control.setUint32(0, 0x22222222);
      assert.deepEqual([...payload], Array(100).fill(0x11));
      assert.deepEqual([...control.subarray(0, 5)], [0x22, 0x22, 0x22, 0x22, 0]);
    });

    test("prepare() sets the lengths and forgets what the kernel wrote before", () => {
      view().deliver(new Uint8Array(3), new Uint8Array(8), 0x7fffffff);
      assert.equal(arena.controlBytesSeen, 8);
      assert.equal(arena.flagsSeen, 0x7fffffff);
      arena.prepare(16, 20);
      assert.equal(arena.controlBytesSeen, 20);
      assert.equal(arena.flagsSeen, 0);
      assert.equal(view().payload.length, 16);
      assert.equal(view().control.length, 20);
    });

    test("keeps the upper halves of wide lengths at 0", () => {
      const { vectorCountOffset, controlLengthOffset, bytes } = shape.message;
      arena.prepare(16, 20);
      const whole = new DataView(arena.bytes.buffer);
      const isWide = platform === "linux";
      if (isWide) assert.equal(whole.getBigUint64(vectorCountOffset, true), 1n);
      if (isWide) assert.equal(whole.getBigUint64(controlLengthOffset, true), 20n);
      assert.equal(whole.getBigUint64(bytes + shape.vector.lengthOffset, true), 16n);
    });
  });
}

test("the address of an arena stays the same while memory is reclaimed", () => {
  const arena = new MessageArena(libc, layout, 24, 64);
  const before = libc.address(arena.bytes);
  let churn: Uint8Array[] = [];
  for (let i = 0; i < 3000; i++) {
    churn.push(new Uint8Array(50_000));
    if (churn.length > 50) churn = [];
  }
  assert.equal(libc.address(arena.bytes), before);
  assert.equal(libc.address(arena.payload) - before, BigInt(arena.bytes.length - 64));
});
