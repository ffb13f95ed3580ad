import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CONTROL_MESSAGES_MAX, readControl, writeFdControl } from "../../ffi/control_messages.ts";
import { controlLength, controlSpace, type Layout } from "../../ffi/layout.ts";
import { controlBytes, type FakeControl, fdData, knownLayout } from "./fake_libc.ts";

function read(layout: Layout, bytes: Uint8Array, length: number = bytes.length) {
  return readControl(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), layout, length);
}

for (const platform of ["linux", "darwin"] as const) {
  const layout = knownLayout(platform);
  const { SOL_SOCKET, SCM_RIGHTS } = layout.constants;
  const rights = (fds: readonly number[], claims?: number): FakeControl => ({
    level: SOL_SOCKET,
    type: SCM_RIGHTS,
    data: fdData(fds),
    ...(claims === undefined ? {} : { claims }),
  });

  describe(`control messages of ${platform}`, () => {
    test("writeFdControl() writes what a kernel of this layout reads", () => {
      const bytes = new Uint8Array(controlSpace(layout, 4));
      writeFdControl(new DataView(bytes.buffer), layout, 0x01020304);
      assert.deepEqual(bytes, controlBytes(layout, [rights([0x01020304])]));
      assert.deepEqual(read(layout, bytes), { fds: [0x01020304], fault: undefined });
    });

    test("no control data carries nothing", () => {
      assert.deepEqual(read(layout, new Uint8Array(64), 0), { fds: [], fault: undefined });
    });

    test("descriptors of all messages are found, other kinds are passed over", () => {
      const credentials = { level: SOL_SOCKET, type: SCM_RIGHTS + 1, data: new Uint8Array(12).fill(9) };
      const otherLevel = { level: SOL_SOCKET + 1, type: SCM_RIGHTS, data: fdData([77]) };
      const bytes = controlBytes(layout, [credentials, rights([5]), otherLevel, rights([6, 7, 8])]);
      assert.deepEqual(read(layout, bytes), { fds: [5, 6, 7, 8], fault: undefined });
    });

    test("a length left as it was before truncation yields the whole descriptors there are, and a fault", () => {
      const bytes = controlBytes(layout, [rights([21, 22, 23, 24, 25], controlLength(layout, 4 * 16))]);
      for (const cut of [0, 1, 3]) {
        const length = controlLength(layout, 4 * 5) - cut;
        const { fds, fault } = read(layout, bytes, length);
        assert.deepEqual(fds, cut === 0 ? [21, 22, 23, 24, 25] : [21, 22, 23, 24]);
        assert.match(fault ?? "", /claims \d+ bytes where \d+ are left/);
      }
    });

    test("data behind the written length is not read", () => {
      const bytes = controlBytes(layout, [rights([5]), rights([6])]);
      assert.deepEqual(read(layout, bytes, controlSpace(layout, 4)), { fds: [5], fault: undefined });
    });

    test("a length below the header is a fault and ends the walk", () => {
      for (const claims of [0, 1, layout.control.dataOffset - 1]) {
        const { fds, fault } = read(
          layout,
          controlBytes(layout, [rights([5]), rights([6], claims), rights([7])]),
        );
        assert.deepEqual(fds, [5]);
        assert.match(fault ?? "", /less than its header/);
      }
    });

    test("more than a handful of messages is a fault, and still every descriptor is found", () => {
      const many = (count: number) => Array.from({ length: count }, (_, i) => rights([i + 3]));
      assert.equal(read(layout, controlBytes(layout, many(CONTROL_MESSAGES_MAX))).fault, undefined);
      const { fds, fault } = read(layout, controlBytes(layout, many(CONTROL_MESSAGES_MAX + 3)));
      assert.equal(fds.length, CONTROL_MESSAGES_MAX + 3);
      assert.match(fault ?? "", /More than 8/);
    });

    test("any well-formed control data yields exactly its descriptors", () => {
      const fd = fc.integer({ min: 0, max: 0x7fffffff });
      const message = fc.oneof(
        fc.array(fd, { maxLength: 6 }).map((fds) => ({ control: rights(fds), fds })),
        fc.uint8Array({ maxLength: 20 }).map((data) => ({ control: { level: 41, type: 1, data }, fds: [] })),
      );
      fc.assert(fc.property(fc.array(message, { maxLength: CONTROL_MESSAGES_MAX }), (messages) => {
        const bytes = controlBytes(layout, messages.map(({ control }) => control));
        assert.deepEqual(read(layout, bytes), { fds: messages.flatMap(({ fds }) => fds), fault: undefined });
      }));
    });

    test("garbage of any length ends, within bounds", () => {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 96 }), fc.nat(128), (bytes, length) => {
        const { fds } = read(layout, bytes, length);
        assert.ok(4 * fds.length <= bytes.length);
      }));
    });
  });
}
