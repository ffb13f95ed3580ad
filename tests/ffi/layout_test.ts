import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { controlLength, controlSpace, type Layout, layoutFor } from "../../ffi/layout.ts";
import { probeC } from "./c_probe.ts";
import { layout } from "./native_fixture.ts";

/** What C calls each number; every number of the layout has to be here, or this does not compile. */
const expressions: {
  readonly [Group in Exclude<keyof Layout, "platform" | "constants">]: {
    readonly [Field in keyof NonNullable<Layout[Group]>]: string;
  };
} = {
  message: {
    bytes: "sizeof(struct msghdr)",
    vectorOffset: "offsetof(struct msghdr, msg_iov)",
    vectorCountOffset: "offsetof(struct msghdr, msg_iovlen)",
    controlOffset: "offsetof(struct msghdr, msg_control)",
    controlLengthOffset: "offsetof(struct msghdr, msg_controllen)",
    flagsOffset: "offsetof(struct msghdr, msg_flags)",
  },
  vector: {
    bytes: "sizeof(struct iovec)",
    baseOffset: "offsetof(struct iovec, iov_base)",
    lengthOffset: "offsetof(struct iovec, iov_len)",
  },
  control: {
    lengthOffset: "offsetof(struct cmsghdr, cmsg_len)",
    levelOffset: "offsetof(struct cmsghdr, cmsg_level)",
    typeOffset: "offsetof(struct cmsghdr, cmsg_type)",
    dataOffset: "CMSG_LEN(0)",
    alignment: "CMSG_SPACE(1) - CMSG_LEN(0)",
  },
  credentials: {
    bytes: "sizeof(struct ucred)",
    processIdOffset: "offsetof(struct ucred, pid)",
    userIdOffset: "offsetof(struct ucred, uid)",
    groupIdOffset: "offsetof(struct ucred, gid)",
  },
  poll: {
    bytes: "sizeof(struct pollfd)",
    fdOffset: "offsetof(struct pollfd, fd)",
    eventsOffset: "offsetof(struct pollfd, events)",
    seenOffset: "offsetof(struct pollfd, revents)",
  },
};

/** Constants that are 0 in the layout on purpose, though newer systems define them. */
const AVOIDED: readonly string[] = layout.platform === "darwin" ? ["MSG_NOSIGNAL"] : [];

describe("layout", () => {
  for (const [group, fields] of Object.entries(expressions)) {
    test(`${group} has the offsets and sizes of the C compiler`, () => {
      const wanted = layout[group as keyof typeof expressions];
      if (wanted === null) return assert.equal(layout.platform, "darwin");
      assert.deepEqual({ ...wanted }, probeC(fields));
    });
  }

  test("constants have the values of the C compiler", () => {
    const names = Object.keys(layout.constants).filter((name) => !AVOIDED.includes(name));
    const wanted = names.map((name) => [name, layout.constants[name as keyof Layout["constants"]]]);
    assert.deepEqual(
      Object.fromEntries(wanted),
      probeC(Object.fromEntries(names.map((name) => [name, name]))),
    );
  });

  test("controlLength() and controlSpace() agree with CMSG_LEN and CMSG_SPACE", () => {
    const sizes = [0, 1, 4, 8, 12, 4 * 253];
    const ours = sizes.map((size) => [controlLength(layout, size), controlSpace(layout, size)]);
    const theirs = probeC(Object.fromEntries(
      sizes.flatMap((size) => [[`len${size}`, `CMSG_LEN(${size})`], [`space${size}`, `CMSG_SPACE(${size})`]]),
    ));
    assert.deepEqual(ours, sizes.map((size) => [theirs[`len${size}`], theirs[`space${size}`]]));
  });

  test("lengths read as 32 bits are little-endian and at least that wide", () => {
    const seen = probeC({
      vectorCount: "sizeof(((struct msghdr *) 0)->msg_iovlen)",
      controlLength: "sizeof(((struct msghdr *) 0)->msg_controllen)",
      messageLength: "sizeof(((struct cmsghdr *) 0)->cmsg_len)",
      pointer: "sizeof(void *)",
      littleEndian: "*(char *) &(int) {1}",
    });
    const { pointer, littleEndian, ...widths } = seen;
    assert.equal(pointer, 8);
    assert.equal(littleEndian, 1);
    for (const [name, width] of Object.entries(widths)) assert.ok(width === 4 || width === 8, name);
  });

  test("macOS numbers are those of its headers", () => {
    const macos = layoutFor("darwin", "arm64");
    assert.ok(macos);
    assert.deepEqual(macos.message, {
      bytes: 48,
      vectorOffset: 16,
      vectorCountOffset: 24,
      controlOffset: 32,
      controlLengthOffset: 40,
      flagsOffset: 44,
    });
    assert.equal(controlLength(macos, 4), 16);
    assert.equal(controlSpace(macos, 4), 16);
    assert.equal(controlSpace(macos, 5), 20);
    assert.equal(macos.constants.SOL_SOCKET, 0xffff);
    assert.equal(macos.constants.MSG_DONTWAIT, 0x80);
    assert.equal(macos.constants.MSG_CTRUNC, 0x20);
  });

  test("layoutFor() knows four machines and no other", () => {
    const known = ["linux", "darwin", "win32", "freebsd", "android"].flatMap((platform) =>
      ["x64", "arm64", "ia32", "s390x", "riscv64"]
        .filter((arch) => layoutFor(platform, arch) !== undefined)
        .map((arch) => `${platform} ${layoutFor(platform, arch)?.platform} ${arch}`)
    );
    assert.deepEqual(known, [
      "linux linux x64",
      "linux linux arm64",
      "darwin darwin x64",
      "darwin darwin arm64",
    ]);
  });
});
