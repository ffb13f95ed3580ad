import assert from "node:assert/strict";
import { describe } from "node:test";
import { createFdPassing, type FdPassing } from "../../ffi/fd_passing.ts";
import type { Libc } from "../../ffi/libc.ts";
import {
  countFds,
  fdTest,
  filled,
  layout,
  libc,
  linuxTest,
  native,
  sendManyFds,
  withPair,
} from "./native_fixture.ts";

/** The most descriptors Linux takes in one message. */
const LINUX_FDS_MAX = 253;
const PAYLOAD = filled(16, 0x42);

/** Descriptor passing whose receives offer the kernel only so much room for control data. */
function withControlRoom(controlBytes: number, seen: (opened: number) => void): FdPassing {
  const narrow: Libc = {
    ...libc,
    recvmsg(fd, message, flags) {
      const header = new DataView(message.buffer, message.byteOffset, layout.message.bytes);
      header.setUint32(layout.message.controlLengthOffset, controlBytes, true);
      const before = countFds();
      const received = libc.recvmsg(fd, message, flags);
      seen(countFds() - before);
      return received;
    },
  };
  return createFdPassing(narrow, layout, native.errno);
}

describe("descriptors that should not have come", () => {
  for (const count of [2, 3, LINUX_FDS_MAX]) {
    fdTest(`${count} descriptors where one is allowed are all seen, all closed and reported`, () => {
      withPair((near, far) => {
        assert.equal(sendManyFds(near, PAYLOAD, Array(count).fill(near)), 16);
        assert.deepEqual(native.fdPassing.receive(far, 16, { fdsMax: 1 }), {
          kind: "violation",
          reason: `Descriptors that arrived: ${count}, allowed: 1`,
          bytes: PAYLOAD,
        });
      });
    });
  }

  fdTest("one descriptor where none is allowed is closed and reported", () => {
    withPair((near, far) => {
      assert.deepEqual(native.fdPassing.sendFd(near, PAYLOAD, near), { ok: true });
      assert.deepEqual(native.fdPassing.receive(far, 16, { fdsMax: 0 }), {
        kind: "violation",
        reason: "Descriptors that arrived: 1, allowed: 0",
        bytes: PAYLOAD,
      });
    });
  });

  fdTest("the connection goes on behind a violation", () => {
    withPair((near, far) => {
      assert.equal(sendManyFds(near, PAYLOAD, [near, near]), 16);
      assert.equal(native.sockets.sendBytes(near, filled(4, 1)).kind, "sent");
      assert.equal(native.fdPassing.receive(far, 16, { fdsMax: 1 }).kind, "violation");
      assert.deepEqual(native.sockets.receiveBytes(far, 16), { kind: "data", bytes: filled(4, 1) });
    });
  });
});

describe("control data that the kernel cut off", () => {
  const rooms = layout.platform === "linux" ? [[0, 0], [16, 0], [20, 1], [24, 2]] as const : [];
  for (const [room, installed] of rooms) {
    fdTest(
      `3 descriptors in room for ${room} bytes: ${installed} arrive, all are closed, none is returned`,
      () => {
        withPair((near, far) => {
          let opened = -1;
          const narrow = withControlRoom(room, (count) => opened = count);
          assert.equal(sendManyFds(near, PAYLOAD, [near, far, near]), 16);
          assert.deepEqual(narrow.receive(far, 16, { fdsMax: 3 }), {
            kind: "violation",
            reason: `Control data was cut off (MSG_CTRUNC), descriptors that arrived: ${installed}`,
            bytes: PAYLOAD,
          });
          assert.equal(opened, installed);
        });
      },
    );
  }

  linuxTest(
    "room for exactly one descriptor also admits a second, in the padding, without truncation",
    () => {
      withPair((near, far) => {
        let opened = -1;
        const narrow = withControlRoom(24, (count) => opened = count);
        assert.equal(sendManyFds(near, PAYLOAD, [near, far]), 16);
        assert.equal(narrow.receive(far, 16, { fdsMax: 1 }).kind, "violation");
        assert.equal(opened, 2);
      });
    },
  );
});
